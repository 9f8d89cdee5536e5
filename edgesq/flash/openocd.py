"""OpenOCD: any debug probe it knows; what it does to the chip stands in openocd.tcl."""

import re
from pathlib import Path

from edgesq.errors import BoardError
from edgesq.flash.checks import other_chip
from edgesq.flash.keys import CHIP_REGISTER, PROBE_USB_IDS, Key, Words
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Job, Step

PROGRAM = "openocd"
_CONFIGS = Key[Words]("openocd", Words)
"""OpenOCD's configuration files."""


def steps(job: Job) -> list[Step]:
    """Return the one command: everything happens in one session of the probe."""
    address, mask, chip_id = (f"{key.of(job.target):#x}" for key in CHIP_REGISTER)
    ids = f"{address} {mask} {chip_id}"
    configs = [word for name in _CONFIGS.of(job.target) for word in ("-f", name)]
    probe = [] if job.probe is None else ["-c", f"adapter serial {job.probe}"]
    settings = ["-c", f"set edgesq_image {{{job.elf}}}", "-c", f"set edgesq_id {{{ids}}}"]
    script = ["-f", str(Path(__file__).with_suffix(".tcl"))]

    def refuse(output: str) -> None:
        found = re.search(r"edgesq: the chip says (0x[0-9a-f]+)", output)
        if found:
            raise other_chip(job, found[1], chip_id)

    def check(output: str) -> None:
        if "edgesq: compared" not in output:
            raise BoardError("ended before it had compared", where=PROGRAM, hint="flash again")

    return [Step((PROGRAM, *configs, *probe, *settings, *script), refuse, check)]


RUNNER = Programmer(
    name="openocd",
    program=PROGRAM,
    needs=(_CONFIGS, *CHIP_REGISTER),
    get="apt-get install openocd",
    failures=(
        Failure(
            r"LIBUSB_ERROR_ACCESS|insufficient permissions",
            "no permission to use the debug probe",
            "install OpenOCD's udev rules (60-openocd.rules) and plug the board in again",
        ),
        Failure(
            r"open failed|unable to find a matching CMSIS-DAP|No J-Link device found|"
            r"no device found",
            "no debug probe found",
            "connect the board's debug USB socket; `--probe` must be the probe's serial number",
        ),
        Failure(
            r"init mode failed|unable to connect to the target|DAP init failed|"
            r"Could not (find|initialize) .*(MEM-AP|DAP)|Target not examined",
            "the probe does not reach the chip",
            "check power and wires; hold reset while it connects",
        ),
        Failure(
            r"couldn't bind .* to socket|Address already in use",
            "another OpenOCD runs",
            "end it, or your debugger",
            is_board=False,
        ),
        Failure(
            r"Can't find (interface|board|target)/",
            "this OpenOCD does not know the chip",
            "it needs a newer one: github.com/raspberrypi/openocd for RP2350, else 0.12",
            is_board=False,
        ),
        Failure(
            r"checksum mismatch|verify failed|contents differ",
            "the flash differs from the image",
            "flash again; if it differs again the flash is worn or protected",
        ),
        Failure(
            r"flash (write|erase).*failed|failed erasing|write protect|stm32.* protected",
            "the flash cannot be written",
            "it may be write protected: remove the protection with the maker's tool",
        ),
    ),
    is_compared=True,
    steps=steps,
    probe_ids=PROBE_USB_IDS,
)
