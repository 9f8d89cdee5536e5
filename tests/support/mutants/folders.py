"""Mutants of build folders: edited JSON, damaged and missing files, links, folders, processes."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import io
import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from edgesq.errors import EdgesqError
from edgesq.flash.process import start_time
from support.builds import done, snapshot, stop_and_check
from support.cases import NETWORKS
from support.mutants.damage import (
    TEXTS,
    chance_of,
    damaged,
    json_values,
    other_value,
)

EVALUATED_EVERY, FLASHED_EVERY = 4, 8
"""One folder in so many is evaluated, or flashed where its program is whole."""

_JSON = ("report.json", "report.json", "report.json", "board.json", "verify.json")
_DRAFTS = (".report.json", ".verify.json", "board.log", "verify.json.part", "firmware/build")
_BUILD, _OUTSIDE, _VICTIM = "build", "outside", "victim"
_GOOD = {0, 1, 2, 3}
_BROKEN = (OSError, ValueError, RecursionError, LookupError, TypeError)
"""What an edit raises where one before it has broken the file."""

Edit = Callable[[Path, random.Random], None]

_base: list[Path] = []


def prepare(folder: Path) -> None:
    """Verify the build that mutants are made of, once for all workers.

    It is the one in the folder; where none is, that of a small network.
    """
    for name in ("edgesq.accuracy", "edgesq.cli.app", "edgesq.verify", "onnxruntime"):
        importlib.import_module(name)
    base = folder / "base"
    with (folder / "base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not base.exists():
            model = folder / "small.tflite"
            model.write_bytes(NETWORKS["fire"]())
            done("export", model, "--target", "host", "--out", base)
        if not (base / "board.json").exists():
            done("flash", "--build", base)
            done("verify", "--build", base, "--count", "8")
            record = json.loads((base / "board.json").read_text())
            stop_and_check(base)
            # The terminal that it had may be another's by now.
            (base / "board.json").write_text(json.dumps({**record, "port": "/dev/none"}))
    _base[:] = [base]


def write(number: int, folder: Path) -> Path:
    """Copy the build, and damage it; what lies beside it must stay as it is."""
    chance = chance_of("folders", number)
    outside, build = folder / _OUTSIDE, folder / _BUILD
    (outside / "folder").mkdir(parents=True)
    for name in ("secret", "folder/report.json", "folder/secret"):
        (outside / name).write_text("precious\n")
    shutil.copytree(_base[0], build, ignore=shutil.ignore_patterns("*.onnx", "model_tflite.*"))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        with contextlib.suppress(*_BROKEN):
            chance.choice(_EDITS)(build, chance)
    return build


def attempt(number: int, path: Path, _: Path) -> None:
    """Run every command on a build that needs no board, and hold what they did."""
    outside, victim = path.parent / _OUTSIDE, _started(path)
    before = snapshot(outside)
    try:
        with contextlib.chdir(outside):
            codes = [_run(arguments) for arguments in _commands(number, path)]
        problem = victim.poll() is not None and "it ended a process that is none of its boards"
    finally:
        victim.kill()
        victim.wait()
    if problem:
        raise AssertionError(problem)
    if snapshot(outside) != before:
        raise AssertionError("it wrote outside of the build")
    if EdgesqError.exit_code in codes:
        raise EdgesqError("a command cannot do it; without a board, verify ends with another code")


def _commands(number: int, build: Path) -> Iterator[list[str]]:
    folder = ["--build", str(build)]
    yield ["inspect", str(build)]
    yield ["flash", *folder, "--dry-run"]
    yield ["verify", *folder, "--count", "2"]
    yield ["verify", *folder, "--resume", "--port", str(build / "none"), "--count", "2"]
    if number % EVALUATED_EVERY == 0:
        images = str(_base[0] / "verify_images.npz")
        yield ["evaluate", *folder, "--images", images, "--count", "8"]
    if number % FLASHED_EVERY == 0 and _is_whole(build):
        yield ["flash", *folder]
    yield ["flash", *folder, "--stop"]


def _is_whole(build: Path) -> bool:
    """Say whether the program is the one that was compiled: no other is run."""
    parts = [one.relative_to(_base[0]) for one in (_base[0] / "firmware").rglob("*")]
    with contextlib.suppress(OSError):
        return not (build / "firmware").is_symlink() and all(
            (build / one).is_dir() or _is_same(build / one, _base[0] / one) for one in parts
        )
    return False


def _is_same(one: Path, other: Path) -> bool:
    """Compare two files; pipes and devices, which have no end, are none."""
    return one.is_file() and one.read_bytes() == other.read_bytes()


def _run(arguments: list[str]) -> int:
    """Run a command in this process; return its exit code.

    Raises:
        AssertionError: it is not one of those that are promised, or what it says is not clean.
    """
    from edgesq.cli import terminal
    from edgesq.cli.app import app

    said, before = io.StringIO(), terminal.err.file
    terminal.err.file = said
    try:
        result = CliRunner().invoke(app, arguments)
    finally:
        terminal.err.file = before
    words = " ".join(arguments[:1] + [one for one in arguments[2:] if one.startswith("--")])
    if result.exit_code not in _GOOD:
        raise AssertionError(f"{words}: exit {result.exit_code}: {_traceback(result.output)}")
    for text in (result.output, said.getvalue()):
        if any(ord(char) < 32 and char not in "\n\t" for char in text):
            raise AssertionError(f"{words}: control characters in {text[-300:]!r}")
    last = said.getvalue().strip().splitlines()[-1:]
    if result.exit_code > 1 and not (last and last[0].startswith("error: ")):
        raise AssertionError(f"{words}: exit {result.exit_code} without an error: {last}")
    return int(result.exit_code)


def _traceback(text: str) -> str:
    """Return the error of a traceback, and where in the project's own code it was raised."""
    frames = re.findall(r'File "[^"]*/edgesq/([^"]*)", line (\d+), in (\w+)', text)
    errors = re.findall(r"^(\w[\w.]*: .*)$", text, re.MULTILINE)
    where = " < ".join(" ".join(frame) for frame in frames[:-4:-1])
    return f"{(errors or [text[-300:]])[-1][:300]} [{where}]"


def _started(build: Path) -> subprocess.Popen[bytes]:
    """Start a process that is nobody's board; where board.json names the victim, name this one."""
    victim = subprocess.Popen(["sleep", "600"])
    path = build / "board.json"
    with contextlib.suppress(*_BROKEN):
        fields = _read(path)
        if fields["pid"] == _VICTIM:
            record = {**fields, "pid": victim.pid, "started": start_time(victim.pid)}
            path.write_text(json.dumps(record))
    return victim


# Edits


def _edit_json(build: Path, chance: random.Random) -> None:
    """Change one to three values of a JSON file."""
    path = build / chance.choice(_JSON)
    fields = _read(path)
    for _ in range(chance.choice((1, 1, 2, 3))):
        holder, key = chance.choice(list(json_values(fields)))
        if chance.random() < 0.2:
            del holder[key]
        else:
            holder[key] = other_value(holder[key], chance, _ENDLESS)
        if not fields:
            break
    path.write_text(json.dumps(fields).replace(f'"{_ENDLESS}"', "9" * 400))


def _edit_top(build: Path, chance: random.Random) -> None:
    """Change one of the values that stand at the top of a report: there commands look first."""
    path = build / chance.choice(_JSON)
    fields = _read(path)
    key = chance.choice(sorted(fields))
    fields[key] = other_value(fields[key], chance, _ENDLESS)
    path.write_text(json.dumps(fields).replace(f'"{_ENDLESS}"', "9" * 400))


_ENDLESS = "a number of 400 digits"


def _read(path: Path) -> Any:
    """Return what a JSON file holds; one that is no file is not waited for."""
    if not path.is_file():
        raise FileNotFoundError(path)
    return json.loads(path.read_text())


def _break_json(build: Path, chance: random.Random) -> None:
    """Write something else than the JSON that is expected."""
    path = build / chance.choice(_JSON)
    deep = chance.choice((100, 2_000, 200_000))
    texts = (
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"{}",
        b"[" * deep,
        b'{"a":' * deep,
        b"\xff\xfe",
    )
    path.write_bytes(chance.choice((*texts, b"9" * 5_000, path.read_bytes() * 2)))


def _another_process(build: Path, _: random.Random) -> None:
    """Let board.json name a process that is none of its boards."""
    path = build / "board.json"
    path.write_text(json.dumps({**_read(path), "pid": _VICTIM}))


def _damage(build: Path, chance: random.Random) -> None:
    path = _file(build, chance)
    path.write_bytes(damaged(path.read_bytes(), chance))


def _remove(build: Path, chance: random.Random) -> None:
    _away(_file(build, chance))


def _replace(build: Path, chance: random.Random) -> None:
    """Put a folder, a link or a queue in the place of a file, a folder or a draft."""
    drafts = [build / name for name in _DRAFTS]
    path = chance.choice((_file(build, chance), *drafts, build / "firmware"))
    _away(path)
    path.parent.mkdir(exist_ok=True)
    outside = build.parent / _OUTSIDE
    kind = chance.randrange(7)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        os.mkfifo(path)
    else:
        places = (outside / "secret", outside / "folder", outside / "new", path, Path("/dev/zero"))
        path.symlink_to(places[kind - 2])


def _file(build: Path, chance: random.Random) -> Path:
    """Return a file of the build; those of the firmware are taken less often."""
    files = sorted(path for path in build.rglob("*") if path.is_file())
    own = [path for path in files if path.parent == build]
    return chance.choice(own if own and chance.random() < 0.93 else files)


def _away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _strange_names(build: Path, chance: random.Random) -> None:
    """Add files and folders of which no command knows."""
    names = [text.encode(errors="surrogatepass") for text in TEXTS if 0 < len(text) < 200]
    names = [
        name for name in (*names, b"\xff\xfe", b"-rf") if b"/" not in name and b"\0" not in name
    ]
    for name in chance.sample(names, 3):
        path = chance.choice((build, build / "firmware")) / os.fsdecode(name)
        with contextlib.suppress(OSError):
            path.mkdir() if chance.random() < 0.3 else path.touch()


_EDITS: tuple[Edit, ...] = (
    *(_edit_json, _edit_json, _edit_json, _edit_top, _edit_top, _break_json),
    *(_another_process, _damage, _damage, _remove, _replace, _replace, _strange_names),
)
