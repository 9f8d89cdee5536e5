"""The width of what clang-format does not look at: comments, assembler, templates, build files.

`make lint` holds the rest of the firmware's style.
"""

from pathlib import Path

import pytest

from support.paths import ROOT, SUPPORT

MAX_COLUMNS = 100
ENDINGS = {".c", ".h", ".cc", ".cpp", ".ino", ".S", ".in", ".cmake", ".ld"}
SOURCES = sorted(
    path
    for folder in (ROOT / "firmware", SUPPORT, ROOT / "tests" / "fuzz")
    for path in folder.rglob("*")
    if path.suffix in ENDINGS or path.name == "CMakeLists.txt"
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_lines_are_short(path: Path) -> None:
    lines = enumerate(path.read_text().splitlines(), 1)
    assert [f"{number}: {line}" for number, line in lines if len(line) > MAX_COLUMNS] == []
