"""Keys of `targets/NAME.toml` that runners read: each is declared once, with its type.

The keys of one runner stand in its own file; here are those that several share.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from edgesq.errors import TargetError
from edgesq.records import made
from edgesq.targets import Target

T = TypeVar("T")
Words = tuple[str, ...]


@dataclass(frozen=True)
class Key(Generic[T]):
    """A key of the TOML's table [flash], or of the file itself.

    Attributes:
        name: as the file spells it.
        kind: type of its value; numbers are never negative.
    """

    name: str
    kind: type[T]

    def of(self, target: Target) -> T:
        """Return a target's value.

        Raises:
            TargetError: it is missing, or of another type.
        """
        value = self.find(target)
        if value is None:
            raise TargetError(f"key '{self.name}' is missing", where=f"{target.name}.toml")
        return value

    def find(self, target: Target) -> T | None:
        """Return a target's value, None where it has none.

        Raises:
            TargetError: it is of another type.
        """
        value = target.flash.get(self.name, getattr(target, self.name, None))
        if value is None:
            return None
        try:
            found = made(self.kind, value, self.name)
            if isinstance(found, int) and found < 0:
                raise ValueError(f"key '{self.name}' must not be negative")
        except ValueError as error:
            raise TargetError(str(error), where=f"{target.name}.toml") from error
        return found


CHIP_ID_ADDRESS = Key("chip_id_address", int)
"""Register that says which chip it is."""

CHIP_ID_MASK = Key("chip_id_mask", int)
"""Bits of that register that count."""

CHIP_ID = Key("chip_id", int)
"""Value of those bits."""

CHIP_REGISTER = (CHIP_ID_ADDRESS, CHIP_ID_MASK, CHIP_ID)

PROBE_USB_IDS = Key[Words]("probe_usb_ids", Words)
"""USB ids "vid:pid" in lower-case hex of the debug probe on the board."""

OWN_USB_IDS = Key[Words]("own_usb_ids", Words)
"""USB ids "vid:pid" of the serial device that the firmware itself is; a key of the file itself.

Opened at 1,200 baud and closed, it sends the board into its bootloader.
"""

BOOTLOADER_USB_IDS = Key[Words]("bootloader_usb_ids", Words)
"""USB ids "vid:pid" in lower-case hex of the board while its bootloader waits for firmware."""

UF2_FAMILY = Key("uf2_family", int)
"""Number in the blocks of a UF2 file."""

UF2_BOARD_ID = Key("uf2_board_id", str)
"""Board-ID that the bootloader's drive says in INFO_UF2.TXT."""

MACHINE = Key("machine", str)
"""QEMU's -machine; a key of the file itself."""

MACHINE_SINCE = Key("machine_since", str)
"""QEMU's first version that models the machine as the port uses it; a key of the file itself."""

EMULATOR = Key("emulator", str)
"""QEMU's program; a key of the file itself."""


def usb_ids_of(target: Target) -> frozenset[str]:
    """Return "vid:pid" of all by which a board is seen on USB: its lines, probes and bootloader."""
    others = (PROBE_USB_IDS.find(target), BOOTLOADER_USB_IDS.find(target))
    own = (*target.usb_ids, *target.own_usb_ids)
    return frozenset((*own, *(usb_id for found in others for usb_id in found or ())))
