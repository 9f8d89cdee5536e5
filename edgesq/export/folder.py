"""The build folder: names in it, its report, and how it appears whole or not at all."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgesq.errors import EdgesqError
from edgesq.graph import digest

REPORT = "report.json"
TFLITE = "model_int8.tflite"
VERIFY_IMAGES = "verify_images.npz"
FIRMWARE = "firmware"

_NEEDED = {"target", "files", "verify_images"}
"""Keys of the report that later commands cannot do without."""


def read_report(build: Path) -> dict[str, Any]:
    """Return the report of a build folder.

    Raises:
        EdgesqError: there is none, or it is damaged.
    """
    try:
        report = json.loads((build / REPORT).read_text())
    except FileNotFoundError as error:
        raise EdgesqError(
            "not a build folder", where=str(build), hint="run `edgesq export` first"
        ) from error
    except (OSError, ValueError) as error:
        raise EdgesqError(
            f"{REPORT} cannot be read: {error}", where=str(build), hint="export again"
        ) from error
    if not isinstance(report, dict) or _NEEDED - report.keys():
        raise EdgesqError(f"{REPORT} is damaged", where=str(build), hint="export again")
    return report


def write_report(build: Path, report: dict[str, Any]) -> None:
    """Write the report of a build folder, whole or not at all."""
    draft = build / f".{REPORT}"
    draft.write_text(json.dumps(report, indent=2) + "\n")
    draft.replace(build / REPORT)


def file_hashes(build: Path) -> dict[str, str]:
    """Return name and sha256 of every file below `build`, apart from what was compiled."""
    files = sorted(path for path in build.rglob("*") if path.is_file())
    return {
        path.relative_to(build).as_posix(): digest(path.read_bytes())
        for path in files
        if build / FIRMWARE / "build" not in path.parents
    }


def check_out(out: Path) -> None:
    """Refuse to write over what is not a build folder, or where nothing can be written.

    Raises:
        EdgesqError: the folder exists, is not empty and holds no report; it is the current folder
            or holds it; or no folder can be made there.
    """
    occupied = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if occupied and not (out / REPORT).is_file():
        raise EdgesqError(
            "exists and is not a build folder", where=str(out), hint="give another --out"
        )
    if Path.cwd().is_relative_to(out.resolve()):
        raise EdgesqError("is where you are now", where=str(out), hint="give another --out")
    nearest = next(folder for folder in out.absolute().parents if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise EdgesqError("no folder can be made there", where=str(nearest), hint="see --out")


@contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `out` at the end, or vanishes on an error."""
    missing = [folder for folder in out.absolute().parents if not folder.exists()]
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
            folder = Path(scratch) / "new"
            folder.mkdir()
            yield folder
            _replace(out, folder, Path(scratch) / "old")
    except BaseException:
        for made in missing:
            with contextlib.suppress(OSError):
                made.rmdir()
        raise


def _replace(out: Path, new: Path, old: Path) -> None:
    """Move `out` to `old` and `new` to `out`; a board that runs goes on, and stays recorded."""
    if out.exists():
        if (out / "board.json").is_file():
            shutil.copyfile(out / "board.json", new / "board.json")
        out.rename(old)
    new.rename(out)
