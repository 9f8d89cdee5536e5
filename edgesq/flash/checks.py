"""What a program's output must say: that it is this chip, and that the flash is the image."""

import re
from collections.abc import Callable

from edgesq.errors import BoardError, EdgesqError
from edgesq.flash.keys import CHIP_ID, CHIP_ID_MASK
from edgesq.flash.steps import NOBODY_ANSWERS, Job

Check = Callable[[str], None]


def said_check(
    job: Job,
    pattern: str,
    wanted: str,
    absent: EdgesqError,
    said: Callable[[re.Match[str]], str] = lambda found: found[1],
) -> Check:
    """Return a check that refuses another chip than the target's.

    Args:
        job: names the target.
        pattern: where the program says which chip it is.
        wanted: what it says of the target's.
        absent: raised where it says nothing.
        said: from the match to what it says, its only group by default.
    """

    def check(output: str) -> None:
        found = re.search(pattern, output, re.I | re.M)
        if found is None:
            raise absent
        if said(found) != wanted:
            raise other_chip(job, said(found), wanted)

    return check


def register_check(job: Job, pattern: str) -> Check:
    """Return a check that refuses another chip than the target's, by the register that tells.

    Args:
        job: names the target.
        pattern: its only group is the chip's register in hex, as the program prints it.
    """
    absent = BoardError("the chip does not say what it is", hint=NOBODY_ANSWERS)
    mask, wanted = CHIP_ID_MASK.of(job.target), f"{CHIP_ID.of(job.target):#x}"
    return said_check(job, pattern, wanted, absent, lambda found: f"{int(found[1], 16) & mask:#x}")


def other_chip(job: Job, found: str, wanted: str) -> BoardError:
    """Return the error that the board is not the target."""
    return BoardError(
        f"another board: its chip says {found}, {job.target.name}'s {wanted}",
        hint="name the board you have with --target, or choose the probe with --probe",
    )


def compare_check(job: Job) -> Check:
    """Return a check that holds what was read back against the image."""

    def check(_: str) -> None:
        compare(job, job.read_back.read_bytes() if job.read_back.is_file() else b"")

    return check


def compare(job: Job, found: bytes) -> None:
    """Hold the bytes read back from the flash's origin against the image.

    Raises:
        BoardError: they differ.
    """
    wanted = job.image.data
    if found[: len(wanted)] == wanted:
        return
    pairs = zip(wanted, found.ljust(len(wanted), b"\0"), strict=False)
    first = next((at for at, (one, other) in enumerate(pairs) if one != other), len(found))
    raise BoardError(
        f"the flash differs from the image from {job.image.origin + first:#010x} on",
        hint="flash again; if it differs again the flash is worn or protected",
    )
