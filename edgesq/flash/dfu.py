"""dfu-util: the bootloader in the ROM of an STM32, over the chip's own USB socket."""

import re

from edgesq.errors import BoardError
from edgesq.flash.steps import Failure, Job, Step, compare_check, other_chip

PROGRAM = "dfu-util"
GET = "apt-get install dfu-util"
COMPARES = True
_NO_BOOTLOADER = Failure(
    r"No DFU capable USB device",
    "no bootloader found",
    "set BOOT0 high, press reset, and connect the chip's own USB socket",
)
FAILURES = (
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
)

_UNITS = {"B": 1, "K": 1024, "M": 1024 * 1024, " ": 1}


def steps(job: Job) -> list[Step]:
    """Return: which memory is there, write, read back and leave for the firmware.

    The bootloader does not name its chip, only the size of its flash: that is what is checked.
    """
    usb_id = job.target.flash.bootloader_usb_ids[0]
    probe = () if job.probe is None else ("-S", job.probe)
    device = (PROGRAM, "-d", usb_id, *probe)
    origin, size = f"{job.image.origin:#010x}", len(job.image.data)
    leave = f"{origin}:{size}:leave"
    return [
        Step((*device, "-l"), check=lambda output: _check_memory(job, output)),
        Step((*device, "-a", "0", "-s", origin, "-D", str(job.flat))),
        Step((*device, "-a", "0", "-s", leave, "-U", str(job.read_back)), check=compare_check(job)),
    ]


def _check_memory(job: Job, output: str) -> None:
    """Refuse a chip whose flash is not where the target's is, or not of its size."""
    found = re.search(r'name="@Internal Flash\s*/(0x[0-9A-Fa-f]+)/([^"]+)"', output)
    if found is None:
        raise BoardError(_NO_BOOTLOADER.message, where=PROGRAM, hint=_NO_BOOTLOADER.hint)
    sectors = re.findall(r"(\d+)\*(\d+)([BKM ])", found[2])
    size = sum(int(count) * int(each) * _UNITS[unit] for count, each, unit in sectors)
    flash = job.target.region("flash")
    assert flash is not None, "a board with a bootloader has a flash"
    if (int(found[1], 16), size) != (flash.origin, flash.bytes):
        said = f"{size // 1024} KB of flash at {found[1]}"
        raise other_chip(job, said, f"{flash.bytes // 1024} KB at {flash.origin:#010x}")
