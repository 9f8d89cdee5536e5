"""SEGGER's J-Link Commander, which takes its commands from a file."""

from edgesq.flash.checks import register_check
from edgesq.flash.keys import CHIP_ID_ADDRESS, CHIP_REGISTER, PROBE_USB_IDS, Key
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Job, Step

PROGRAM = "JLinkExe"
_CHIP = Key("jlink", str)
"""The chip as J-Link calls it."""


def steps(job: Job) -> list[Step]:
    """Return: which chip; then write, compare and start in one session."""
    register, flat, origin = CHIP_ID_ADDRESS.of(job.target), job.flat, f"{job.image.origin:#x}"
    look = _script(job, "jlink_look.txt", f"mem32 {register:#x} 1")
    write = f"loadbin {flat} {origin}\nverifybin {flat} {origin}\nr\ng"
    return [
        Step(look, check=register_check(job, rf"^\s*{register:08X} = ([0-9A-F]{{8}})")),
        Step(_script(job, "jlink_write.txt", f"r\n{write}")),
    ]


def _script(job: Job, name: str, commands: str) -> tuple[str, ...]:
    path = job.folder / name
    path.write_text(f"{commands}\nexit\n")
    probe = job.probe_option("-SelectEmuBySN")
    device = ("-Device", _CHIP.of(job.target), "-If", "SWD", "-Speed", "4000")
    quiet = ("-NoGui", "1", "-ExitOnError", "1", "-AutoConnect", "1")
    return (PROGRAM, *probe, *device, *quiet, "-CommandFile", str(path))


RUNNER = Programmer(
    name="jlink",
    program=PROGRAM,
    needs=(_CHIP, *CHIP_REGISTER),
    get="get the J-Link Software Pack from segger.com/downloads/jlink",
    failures=(
        Failure(
            r"Connecting to J-Link.*FAILED|No emulators connected|Cannot connect to J-Link",
            "no J-Link found",
            "connect the board's debug USB socket; `--probe` must be the J-Link's serial number",
        ),
        Failure(
            r"Cannot connect to target|Could not connect to (the )?target|No CPU found",
            "the J-Link does not reach the chip",
            "check power and wires; hold reset while it connects",
        ),
        Failure(
            r"Verify failed|Verification failed|does not match",
            "the flash differs from the image",
            "flash again; if it differs again the flash is worn or protected",
        ),
        Failure(
            r"Failed to (erase|program)|Error while (erasing|programming)|flash download: .*error",
            "the flash cannot be written",
            "it may be protected: J-Link's `unlock` or the maker's tool removes that",
        ),
        Failure(
            r"Unknown device|is unknown to this software version",
            "this J-Link software does not know the chip",
            "get a newer one from segger.com/downloads/jlink",
            is_board=False,
        ),
    ),
    is_compared=True,
    steps=steps,
    probe_ids=PROBE_USB_IDS,
)
