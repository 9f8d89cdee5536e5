"""Which host names a command looks up, heard by a library that is loaded into it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from support.paths import SUPPORT

SOURCE = SUPPORT / "lookups.c"


def listening(folder: Path) -> dict[str, str]:
    """Return the environment in which look-ups are written into `folder`/lookups.

    Skips the test where there is no C compiler.
    """
    if shutil.which("gcc") is None:
        pytest.skip("no gcc for the library that hears look-ups")
    library = folder / "lookups.so"
    if not library.exists():
        command = ["gcc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
    return {"LD_PRELOAD": str(library), "LOOKUPS": str(folder / "lookups")}


def heard(folder: Path) -> str:
    """Return what was looked up, a line each."""
    path = folder / "lookups"
    return path.read_text() if path.exists() else ""
