"""Programs that flash boards, pretended: on PATH, they note their arguments and speak as real ones.

What each says was taken from the real program (OpenOCD 0.12, stlink 1.7, dfu-util 0.11, pyOCD 0.46,
bossac 1.9.1 as they were run without a board), from its sources (picotool, BOSSA, stlink, OpenOCD,
pyOCD), or from its manual (J-Link).
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Says:
    """What a program says where one of its arguments contains `when`.

    Attributes:
        when: part of an argument; "" fits every call.
        output: its words.
        code: its exit code.
        writes: the argument behind which the file stands that it writes the flash into.
    """

    when: str
    output: str = ""
    code: int = 0
    writes: str | None = None


_SCRIPT = """#!{python} -S
import json, sys
arguments = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps([{name!r}, *arguments]) + "\\n")
for when, output, code, writes in {sayings!r}:
    if when == "" or any(when in argument for argument in arguments):
        if writes is not None:
            file = arguments[arguments.index(writes) + 1].split('"')[-2:][0]
            with open(file, "wb") as out:
                out.write(open({flash!r}, "rb").read())
        print(output)
        sys.exit(code)
sys.exit("fake: nothing to say to " + " ".join(arguments))
"""


class Bench:
    """A PATH with pretended programs only, and the calls that came.

    Args:
        folder: takes the programs.
        patch: sets PATH.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.flash = folder / "flash.bin"
        self._folder = folder / "bin"
        self._folder.mkdir()
        self._log = folder / "calls"
        patch.setenv("PATH", str(self._folder))

    def put(self, name: str, sayings: Sequence[Says]) -> None:
        """Put a program on PATH."""
        rows = [(one.when, one.output, one.code, one.writes) for one in sayings]
        path = self._folder / name
        values = {"name": name, "log": str(self._log), "flash": str(self.flash), "sayings": rows}
        path.write_text(_SCRIPT.format(python=os.path.realpath(sys.executable), **values))
        path.chmod(0o755)

    def calls(self) -> list[list[str]]:
        """Return every call: program and arguments."""
        if not self._log.exists():
            return []
        return [json.loads(line) for line in self._log.read_text().splitlines()]
