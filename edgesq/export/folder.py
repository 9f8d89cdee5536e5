"""The build folder: names in it, its report, and how it appears whole or not at all."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgesq.errors import EdgesqError

REPORT = "report.json"
TFLITE = "model_int8.tflite"
VERIFY_IMAGES = "verify_images.npz"
FIRMWARE = "firmware"


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
    if not isinstance(report, dict) or "target" not in report:
        raise EdgesqError(f"{REPORT} is damaged", where=str(build), hint="export again")
    return report


def write_report(build: Path, report: dict[str, Any]) -> None:
    """Write the report of a build folder, whole or not at all."""
    draft = build / f".{REPORT}"
    draft.write_text(json.dumps(report, indent=2) + "\n")
    draft.replace(build / REPORT)


def check_out(out: Path) -> None:
    """Refuse to write over what is not a build folder.

    Raises:
        EdgesqError: the folder exists, is not empty and holds no report.
    """
    occupied = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if occupied and not (out / REPORT).is_file():
        raise EdgesqError(
            "exists and is not a build folder", where=str(out), hint="give another --out"
        )


@contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `out` at the end, or vanishes on an error."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        folder, old = Path(scratch) / "new", Path(scratch) / "old"
        folder.mkdir()
        yield folder
        if out.exists():
            if (out / "board.json").is_file():
                shutil.copyfile(out / "board.json", folder / "board.json")
            out.rename(old)
        folder.rename(out)
