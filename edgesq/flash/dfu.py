"""dfu-util: the bootloader in the ROM of an STM32, over the chip's own USB socket."""

import re

from edgesq.flash.checks import Check, compare_check, said_check
from edgesq.flash.keys import BOOTLOADER_USB_IDS
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Job, Step

PROGRAM = "dfu-util"
_NO_BOOTLOADER = Failure(
    r"No DFU capable USB device",
    "no bootloader found",
    "set BOOT0 high, press reset, and connect the chip's own USB socket",
)

_UNITS = {"B": 1, "K": 1024, "M": 1024 * 1024, " ": 1}


def steps(job: Job) -> list[Step]:
    """Return: which memory is there, write, read back and leave for the firmware.

    The bootloader does not name its chip, only the size of its flash: that is what is checked.
    """
    usb_id = BOOTLOADER_USB_IDS.of(job.target)[0]
    device = (PROGRAM, "-d", usb_id, *job.probe_option("-S"))
    origin, size = f"{job.image.origin:#010x}", len(job.image.data)
    leave = f"{origin}:{size}:leave"
    return [
        Step((*device, "-l"), check=_memory_check(job)),
        Step((*device, "-a", "0", "-s", origin, "-D", str(job.flat))),
        Step((*device, "-a", "0", "-s", leave, "-U", str(job.read_back)), check=compare_check(job)),
    ]


def _memory_check(job: Job) -> Check:
    """Return a check that refuses a chip whose flash has another place or size."""
    flash = job.target.region("flash")
    assert flash is not None, "a board with a bootloader has a flash"
    pattern = r'name="@Internal Flash\s*/(0x[0-9A-Fa-f]+)/([^"]+)"'
    return said_check(
        job,
        pattern,
        _memory(flash.origin, flash.bytes),
        _NO_BOOTLOADER.error(PROGRAM),
        lambda found: _memory(int(found[1], 16), _sectors_bytes(found[2])),
    )


def _memory(origin: int, size: int) -> str:
    return f"{size / 1024:g} KB of flash at {origin:#010x}"


def _sectors_bytes(sectors: str) -> int:
    """Return the size of sectors as "04*016Kg,01*064Kg" tells them."""
    found = re.findall(r"(\d+)\*(\d+)([BKM ])", sectors)
    return sum(int(count) * int(each) * _UNITS[unit] for count, each, unit in found)


RUNNER = Programmer(
    name="dfu",
    program=PROGRAM,
    needs=(BOOTLOADER_USB_IDS,),
    get="apt-get install dfu-util",
    failures=(
        Failure(
            r"LIBUSB_ERROR_ACCESS|Cannot open device",
            "no permission to use the bootloader's USB device",
            "add a udev rule for it and plug the board in again",
        ),
        _NO_BOOTLOADER,
        Failure(
            r"More than one DFU capable",
            "several bootloaders",
            "choose one with --probe SERIAL",
        ),
        Failure(
            r"errWRITE|errERASE|errPROG|read protected|last page at .* is not writeable",
            "the flash cannot be written",
            "it may be write protected: remove the protection with STM32CubeProgrammer",
        ),
    ),
    is_compared=True,
    steps=steps,
)
