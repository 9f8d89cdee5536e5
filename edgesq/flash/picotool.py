"""picotool: RP2040 and RP2350 that were plugged in with BOOTSEL held."""

from edgesq.flash.checks import said_check
from edgesq.flash.keys import UF2_BOARD_ID, UF2_FAMILY
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Job, Step
from edgesq.flash.touch import is_bootloader_there, touch_steps
from edgesq.flash.uf2 import write_uf2

PROGRAM = "picotool"
_NO_BOARD = Failure(
    r"No accessible RP.* devices? in BOOTSEL mode",
    "no board in BOOTSEL mode",
    "hold BOOTSEL while plugging the board in",
)

_CHIPS = {"RPI-RP2": "RP2040"}
"""picotool's name of a chip, where the drive's name is another."""


def steps(job: Job) -> list[Step]:
    """Return: which chip; then write, compare and start."""
    probe = job.probe_option("--ser")
    drive = UF2_BOARD_ID.of(job.target)
    chip = _CHIPS.get(drive, drive)
    check = said_check(job, r"^\s*type:\s+([^\s(]+)", chip, _NO_BOARD.error(PROGRAM))
    return [
        *touch_steps(job, lambda: is_bootloader_there(job.target), _NO_BOARD.hint),
        Step((PROGRAM, "info", "-d", *probe), check=check),
        Step((PROGRAM, "load", "-v", "-x", str(write_uf2(job)), *probe)),
    ]


RUNNER = Programmer(
    name="picotool",
    program=PROGRAM,
    needs=(UF2_FAMILY, UF2_BOARD_ID),
    get="get picotool from github.com/raspberrypi/picotool, or use --runner uf2",
    failures=(
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
    ),
    is_compared=True,
    steps=steps,
)
