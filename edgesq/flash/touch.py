"""Send a board into its bootloader by its own USB line, so that nobody has to press a button."""

import time
from collections.abc import Callable
from pathlib import Path

from edgesq.errors import BoardError, DamagedError
from edgesq.flash.keys import BOOTLOADER_USB_IDS, OWN_USB_IDS
from edgesq.flash.steps import Job, Step
from edgesq.link.client import Client
from edgesq.link.transport import find_ports, open_port, touch_port
from edgesq.targets import Target

_USB_DEVICES = Path("/sys/bus/usb/devices")
_ANSWER_S = 1.0
_PATIENCE_S = 10.0
_POLL_S = 0.1


def touch_steps(job: Job, is_in_bootloader: Callable[[], bool], hint: str) -> list[Step]:
    """Return the touch; nothing where the board has no line of its own, or none is seen.

    Args:
        job: names target and board.
        is_in_bootloader: whether the bootloader can be used now.
        hint: what to try where the board goes there and it still cannot be used.
    """
    ids = OWN_USB_IDS.find(job.target) or ()
    ports = find_ports(ids, job.probe) if ids and not is_in_bootloader() else []
    if not ports:
        return []

    def touch() -> str:
        ours = [port for port in ports if _is_ours(port)]
        if len(ours) > 1:
            raise BoardError(
                f"several boards: {', '.join(ours)}", hint="choose one with --probe SERIAL"
            )
        for port in ours:
            touch_port(port)
            _wait(is_in_bootloader, port, hint)
        return ""

    return [Step(("stty", "-F", ports[0], "1200"), action=touch)]


def is_bootloader_there(target: Target) -> bool:
    """Say whether a board's bootloader is on USB; where none can tell, whether its line is not."""
    if not _USB_DEVICES.is_dir():
        return not find_ports(OWN_USB_IDS.find(target) or ())
    return not usb_ids().isdisjoint(BOOTLOADER_USB_IDS.find(target) or ())


def usb_ids() -> set[str]:
    """Return "vid:pid" of all USB devices of this computer; none where Linux does not list them."""
    found = set()
    for vendor in _USB_DEVICES.glob("*/idVendor"):
        try:
            product = vendor.with_name("idProduct").read_text(encoding="ascii")
            found.add(f"{vendor.read_text(encoding='ascii').strip()}:{product.strip()}")
        except OSError:  # it was unplugged
            continue
    return found


def _is_ours(port: str) -> bool:
    """Say whether firmware of edgesq answers: the ids are those of other programs' lines too."""
    try:
        with open_port(port) as transport:
            Client(transport, timeout=_ANSWER_S).hello()
    except DamagedError:
        return True
    except BoardError:
        return False
    return True


def _wait(is_there: Callable[[], bool], port: str, hint: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_there():
        if time.monotonic() > deadline:
            raise BoardError(
                "was sent into its bootloader, which is not seen", where=port, hint=hint
            )
        time.sleep(_POLL_S)
