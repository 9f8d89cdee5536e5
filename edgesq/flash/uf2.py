"""A UF2 file copied to the drive that a board in BOOTSEL mode is; needs no program.

The drive cannot be read back: whether the board runs this very firmware its answer to HELLO tells.
"""

import os
import re
import shutil
from pathlib import Path

from edgesq.errors import BoardError
from edgesq.flash.checks import other_chip
from edgesq.flash.image import uf2
from edgesq.flash.keys import UF2_BOARD_ID, UF2_FAMILY
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Job, Step
from edgesq.flash.touch import touch_steps

_MOUNTS = Path("/proc/mounts")
_INFO = "INFO_UF2.TXT"
_HINT = "hold BOOTSEL while plugging the board in, and mount its drive"
_MOUNT = "mount its drive, and flash again"


def steps(job: Job) -> list[Step]:
    """Return the copy; where no drive is mounted its name stands for the place."""
    drives, file = mounted_drives(), write_uf2(job)
    wanted = UF2_BOARD_ID.of(job.target)
    place = next((str(path) for path, name in drives.items() if name == wanted), wanted)
    copy = Step(("cp", str(file), f"{place}/"), action=lambda: _copy(job, file, wanted))
    return [*touch_steps(job, lambda: wanted in mounted_drives().values(), _MOUNT), copy]


def write_uf2(job: Job) -> Path:
    """Write the image as blocks with addresses, where no build has, and return the file."""
    if job.uf2 is not None:
        return job.uf2
    path = job.folder / "edgesq.uf2"
    path.write_bytes(uf2(job.image, UF2_FAMILY.of(job.target)))
    return path


def _copy(job: Job, file: Path, wanted: str) -> str:
    drives = mounted_drives()
    fitting = [path for path, name in drives.items() if name == wanted]
    if not fitting:
        if drives:
            raise other_chip(job, ", ".join(sorted(drives.values())), wanted)
        raise BoardError("no board in BOOTSEL mode", hint=_HINT)
    if len(fitting) > 1:
        places = ", ".join(map(str, fitting))
        raise BoardError(f"several boards in BOOTSEL mode: {places}", hint="unplug all but one")
    place = fitting[0] / file.name
    try:
        with file.open("rb") as source, place.open("wb") as drive:
            shutil.copyfileobj(source, drive)
            drive.flush()
            os.fsync(drive.fileno())
    except OSError as error:
        raise BoardError(
            f"cannot be copied to: {error.strerror}", where=str(fitting[0]), hint=_HINT
        ) from error
    return ""


def mounted_drives() -> dict[Path, str]:
    """Return the mounted UF2 drives and what board each says it is."""
    found: dict[Path, str] = {}
    if not _MOUNTS.is_file():
        return found
    for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        place = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), line.split()[1]))
        try:
            info = (place / _INFO).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        board = re.search(r"^Board-ID:\s*(\S+)", info, re.M)
        found[place] = board[1] if board else "no Board-ID"
    return found


RUNNER = Programmer(
    name="uf2",
    needs=(UF2_FAMILY, UF2_BOARD_ID),
    get="",
    failures=(),
    is_compared=False,
    steps=steps,
)
