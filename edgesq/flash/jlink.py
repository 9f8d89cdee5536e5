"""SEGGER's J-Link Commander, which takes its commands from a file."""

from edgesq.flash.steps import Failure, Job, Step, chip_check

PROGRAM = "JLinkExe"
GET = "get the J-Link Software Pack from segger.com/downloads/jlink"
COMPARES = True
FAILURES = (
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
)


def steps(job: Job) -> list[Step]:
    """Return: which chip; then write, compare and start in one session."""
    ways, flat, origin = job.target.flash, job.flat, f"{job.image.origin:#x}"
    look = _script(job, "jlink_look.txt", f"mem32 {ways.chip_id_address:#x} 1")
    write = f"loadbin {flat} {origin}\nverifybin {flat} {origin}\nr\ng"
    return [
        Step(look, check=chip_check(job, rf"^\s*{ways.chip_id_address:08X} = ([0-9A-F]{{8}})")),
        Step(_script(job, "jlink_write.txt", f"r\n{write}")),
    ]


def _script(job: Job, name: str, commands: str) -> tuple[str, ...]:
    path = job.folder / name
    path.write_text(f"{commands}\nexit\n")
    probe = () if job.probe is None else ("-SelectEmuBySN", job.probe)
    device = ("-Device", str(job.target.flash.jlink), "-If", "SWD", "-Speed", "4000")
    quiet = ("-NoGui", "1", "-ExitOnError", "1", "-AutoConnect", "1")
    return (PROGRAM, *probe, *device, *quiet, "-CommandFile", str(path))
