"""Run the real command, and make build folders to run it on."""

import functools
import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.builds import TFLITE, VERIFY_IMAGES, write_report
from edgesq.codegen import generate
from edgesq.flash import recorded, stop
from edgesq.flash.process import start_time
from edgesq.formats.tflite import read_graph
from edgesq.plan import plan_for
from edgesq.project import lay_out
from edgesq.targets import load_target
from support.reports import report_of

COMMAND = (sys.executable, "-m", "edgesq")
LIMIT_S = 300


@dataclass(frozen=True)
class Exported:
    """A build of the demo model for `host`, as the command wrote it, and what the command said."""

    build: Path
    stdout: str
    stderr: str


def edgesq(
    *arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `edgesq` as a user does; `env` is added to the environment."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )


def words(stderr: str) -> str:
    """Return what was said on stderr, without the lines that tell of progress."""
    return re.sub(r"^\[\d+/\d+\] .*\n", "", stderr, flags=re.M)


def done(*arguments: str | Path, cwd: Path | None = None) -> str:
    """Run `edgesq`, which must succeed without a word on stderr; return its stdout."""
    result = edgesq(*arguments, cwd=cwd)
    assert (result.returncode, words(result.stderr)) == (0, "")
    return result.stdout


def check_refusal(code: int, stdout: str, stderr: str, expected: int, says: str) -> None:
    """Hold that a command failed as all do: one line, with what to try in parentheses."""
    assert code == expected, stdout + stderr
    assert stdout == ""
    stderr = words(stderr)
    assert re.fullmatch(r"error: .+ \(.+\)\n", stderr), stderr
    assert re.search(says, stderr), stderr


def refused(
    expected: int,
    says: str,
    *arguments: str | Path,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
) -> None:
    """Run `edgesq`, which must fail with code `expected` and a line that `says` matches."""
    result = edgesq(*arguments, cwd=cwd, env=env)
    check_refusal(result.returncode, result.stdout, result.stderr, expected, says)


def popen(
    command: Sequence[str | Path], env: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start a command that SIGINT reaches, also where the tests run in a shell's background."""
    return subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def snapshot(folder: Path) -> dict[str, str]:
    """Return every path below `folder`, hidden ones too, and the sha256 of every file."""
    return {
        path.relative_to(folder).as_posix(): _sha256(path) if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


@dataclass(frozen=True)
class Place:
    """A folder to run commands in, with scratch files kept inside it."""

    folder: Path

    def refused(self, code: int, says: str, *arguments: str | Path) -> None:
        """Run `edgesq`, which must fail so and leave the folder as it was."""
        before = snapshot(self.folder)
        refused(code, says, *arguments, cwd=self.folder, env={"TMPDIR": str(self.folder / "tmp")})
        assert snapshot(self.folder) == before


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def light_build(folder: Path, target: str, content: bytes, images: NDArray[np.int8]) -> Path:
    """Write what `flash` and `verify` need of a build folder, quickly.

    Args:
        folder: to make.
        target: it is laid out for this one, not compiled.
        content: int8 .tflite.
        images: int8 [n, H, W, C] that verify streams.

    Raises:
        FitError: the model does not fit.
    """
    graph = read_graph(content)
    board = load_target(target)
    chosen = plan_for(graph, board)
    lay_out(folder / "firmware", board, generate(graph, chosen.plan, board.kernels))
    (folder / TFLITE).write_bytes(content)
    np.savez(folder / VERIFY_IMAGES, input=images)
    write_report(folder, report_of(target, graph))
    return folder


def is_running(pid: int) -> bool:
    """Say whether process `pid` runs; one that nobody has waited for yet does not."""
    return start_time(pid) is not None


def stop_and_check(build: Path) -> None:
    """Stop the board of `build`, if one runs, and hold that its process is gone."""
    board = recorded(build)
    stop(build)
    assert board is None or not is_running(board.pid)
