"""picotool: RP2040 and RP2350 that were plugged in with BOOTSEL held."""

import re

from edgesq.errors import BoardError
from edgesq.flash.steps import Failure, Job, Step, other_chip

PROGRAM = "picotool"
GET = "get picotool from github.com/raspberrypi/picotool, or use --runner uf2"
COMPARES = True
_NO_BOARD = Failure(
    r"No accessible RP.* devices? in BOOTSEL mode",
    "no board in BOOTSEL mode",
    "hold BOOTSEL while plugging the board in",
)
FAILURES = (
    Failure(
        r"unable to connect|LIBUSB_ERROR_ACCESS",
        "no permission to use the board",
        "install picotool's udev rules and plug the board in again",
    ),
    _NO_BOARD,
    Failure(
        r"did not match|verification failed|mismatch at",
        "the flash differs from the image",
        "flash again; if it differs again the flash is worn",
    ),
    Failure(
        r"Family ID .* cannot be downloaded|is not (a )?valid family",
        "the bootloader refuses this firmware: another chip",
        "name the board you have with --target",
    ),
)

_CHIPS = {"RPI-RP2": "RP2040"}
"""picotool's name of a chip, where the drive's name is another."""


def steps(job: Job) -> list[Step]:
    """Return: which chip; then write, compare and start."""
    probe = () if job.probe is None else ("--ser", job.probe)
    drive = str(job.target.flash.uf2_board_id)
    wanted = _CHIPS.get(drive, drive)

    def check(output: str) -> None:
        found = re.search(r"^\s*type:\s+(\S+)", output, re.M)
        if found is None:
            raise BoardError(_NO_BOARD.message, where=PROGRAM, hint=_NO_BOARD.hint)
        if found[1].split("(")[0] != wanted:
            raise other_chip(job, found[1], wanted)

    return [
        Step((PROGRAM, "info", "-d", *probe), check=check),
        Step((PROGRAM, "load", "-v", "-x", str(job.uf2), *probe)),
    ]
