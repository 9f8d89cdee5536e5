"""Runs the blocks of a page as a reader's terminal would: in order, in one shell and one folder."""

import difflib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from support.doc_blocks import HIDDEN, Block, Document, commands_of, shows
from support.paths import ROOT

TIMEOUT_S = 1200
"""For a page; on an idle machine each takes a minute at most."""

_C = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only")
_CPP = ("-std=c++17", *_C[1:])
_NOT_TAKEN = ("PIP_", "PYTEST_")
"""How variables begin that would change what pages' commands do or print."""

_COLUMNS = "100"


class PageFailedError(AssertionError):
    """A block of a page did not do what the page says."""


def run_document(document: Document, folder: Path) -> None:
    """Run a page's blocks.

    Args:
        document: the page.
        folder: an empty one, for what the commands read and write; theirs is `page` in it.

    Raises:
        PageFailedError: a block failed, or printed something else; the message shows it.
    """
    home, steps = folder / "page", folder / "steps"
    steps.mkdir()
    if document.in_checkout:
        _copy_checkout(home)
    else:
        home.mkdir()
    script = steps / "page.sh"
    lines = [line for n, block in enumerate(document.blocks) for line in _lines(n, block, steps)]
    script.write_text("\n".join([*lines, "exit 0", ""]))
    environment = _environment(document, folder)
    try:
        done = subprocess.run(
            ["bash", script], cwd=home, env=environment, capture_output=True, timeout=TIMEOUT_S
        )
    finally:
        _stop_boards(home)
    _judge(document, steps, done.returncode)


def _lines(number: int, block: Block, steps: Path) -> list[str]:
    """Return the lines of bash that run a block, each command's output in a file of its own."""
    if not block.is_run:
        return []
    if block.language == "console":
        lines = []
        for index, command in enumerate(commands_of(block)):
            step = f"{number}-{index}"
            (steps / step).write_text(command.text + "\n")
            lines += [*_sourced(steps, step), f'[ "$code" = {block.exit_code} ] || exit 1']
        return lines
    step = str(number)
    if block.language in ("sh", HIDDEN):
        (steps / step).write_text(f"set -e\n{block.text}\nset +e\n")
    elif block.language == "python":
        (steps / f"{number}.py").write_text(block.text)
        (steps / step).write_text(f"python {steps / step}.py\n")
    else:
        source = steps / f"{number}.{block.language}"
        source.write_text(block.text)
        compiler = ["gcc", *_C] if block.language == "c" else ["g++", *_CPP]
        compile_it = shlex.join([*compiler, "-I", str(ROOT / "firmware" / "include"), str(source)])
        (steps / step).write_text(f"{compile_it} {block.options}\n")
    return [*_sourced(steps, step), '[ "$code" = 0 ] || exit 1']


def _sourced(steps: Path, step: str) -> list[str]:
    """Return the lines that run a step in the page's own shell, so that `cd` and `.` hold."""
    file = steps / step
    return [f"echo {step} > {steps}/at", f". {file} > {file}.out 2>&1 < /dev/null; code=$?"]


def _judge(document: Document, steps: Path, code: int) -> None:
    at = (steps / "at").read_text().strip() if (steps / "at").exists() else "0"
    if code:
        block, step = document.blocks[int(at.partition("-")[0])], steps / at
        raise PageFailedError(f"{block.place} failed:\n{step.read_text()}\n{_output(steps, at)}")
    for number, block in enumerate(document.blocks):
        if block.is_run and block.language == "console":
            for index, command in enumerate(commands_of(block)):
                printed = _output(steps, f"{number}-{index}")
                if not shows(command.output, printed):
                    raise PageFailedError(_difference(block, command.output, printed))


def _output(steps: Path, step: str) -> str:
    return (steps / f"{step}.out").read_text(errors="replace")


def _difference(block: Block, expected: str, printed: str) -> str:
    said, got = (text.strip("\n").splitlines() for text in (expected, printed))
    found = difflib.unified_diff(said, got, "the page", "printed", lineterm="", n=30)
    return "\n".join([f"{block.place} printed something else:", *found])


def _environment(document: Document, folder: Path) -> dict[str, str]:
    """Return what the commands find: this checkout's edgesq, or nothing but a way to install it.

    In a checkout a page makes an environment of its own. What `pip` would fetch lies on
    PYTHONPATH, and pip may ask no index: it fails where a dependency is not installed here.
    """
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(_NOT_TAKEN)},
        "COLUMNS": _COLUMNS,
        "EDGESQ": str(ROOT),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "TERM": "dumb",
    }
    programs = Path(sys.executable).parent
    if document.in_checkout:
        variables["PYTHONPATH"] = str(_packages(folder / "packages"))
        variables["PATH"] = f"{_only_python(folder / 'bin')}:{os.environ['PATH']}"
    else:
        variables["PYTHONPATH"] = str(ROOT)
        variables["PATH"] = f"{programs}:{os.environ['PATH']}"
    return variables


def _packages(folder: Path) -> Path:
    """Return a folder of links to all packages installed here but edgesq's own."""
    folder.mkdir()
    for path in Path(next(p for p in sys.path if p.endswith("site-packages"))).iterdir():
        if "edgesq" not in path.name and path.suffix != ".pth":
            (folder / path.name).symlink_to(path)
    return folder


def _only_python(folder: Path) -> Path:
    """Return a folder with `python3` alone, the one that this environment was made with."""
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    return folder


def _copy_checkout(home: Path) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, home / name)


def _stop_boards(home: Path) -> None:
    for report in home.rglob("report.json"):
        command = [sys.executable, "-m", "edgesq", "flash", "--build", str(report.parent)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run([*command, "--stop"], capture_output=True, check=False, env=environment)
