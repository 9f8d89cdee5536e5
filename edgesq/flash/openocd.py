"""OpenOCD: any debug probe it knows; what it does to the chip stands in openocd.tcl."""

import re
from pathlib import Path

from edgesq.errors import BoardError
from edgesq.flash.steps import Failure, Job, Step, other_chip

PROGRAM = "openocd"
GET = "apt-get install openocd"
COMPARES = True
FAILURES = (
    Failure(
        r"LIBUSB_ERROR_ACCESS|insufficient permissions",
        "no permission to use the debug probe",
        "install OpenOCD's udev rules (60-openocd.rules) and plug the board in again",
    ),
    Failure(
        r"open failed|unable to find a matching CMSIS-DAP|No J-Link device found|no device found",
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
)


def steps(job: Job) -> list[Step]:
    """Return the one command: everything happens in one session of the probe."""
    ways = job.target.flash
    ids = f"{ways.chip_id_address:#x} {ways.chip_id_mask:#x} {ways.chip_id:#x}"
    configs = [word for name in ways.openocd for word in ("-f", name)]
    probe = [] if job.probe is None else ["-c", f"adapter serial {job.probe}"]
    settings = ["-c", f"set edgesq_image {{{job.elf}}}", "-c", f"set edgesq_id {{{ids}}}"]
    script = ["-f", str(Path(__file__).with_suffix(".tcl"))]

    def refuse(output: str) -> None:
        found = re.search(r"edgesq: the chip says (0x[0-9a-f]+)", output)
        if found:
            raise other_chip(job, found[1], f"{ways.chip_id:#x}")

    def check(output: str) -> None:
        if "edgesq: compared" not in output:
            raise BoardError("ended before it had compared", where=PROGRAM, hint="flash again")

    return [Step((PROGRAM, *configs, *probe, *settings, *script), refuse, check)]
