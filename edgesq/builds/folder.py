"""The build folder: names in it, whose what is, and how it appears whole or not at all.

A new build is filled in a folder beside the old one, and then the two change places in one step of
the kernel. What a killed export left behind is removed by the next one.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgesq.builds.report import REPORT, read_report
from edgesq.errors import EdgesqError
from edgesq.files import DRAFT, cannot_write, exchange, read_bytes, write_whole
from edgesq.graph import digest

try:
    import fcntl
except ImportError:  # not a POSIX system: nobody can tell there whether another export still runs
    fcntl = None  # type: ignore[assignment]

TFLITE = "model_int8.tflite"
VERIFY_IMAGES = "verify_images.npz"
VERIFIED = "verified.json"
VERIFY_REPORT = "verify.json"
FIRMWARE = "firmware"
COMPILED = f"{FIRMWARE}/build"

_MARKER = ".edgesq-build"
_MARKED = (
    "`edgesq export` wrote this folder and replaces it: report.json names its files and their "
    "hashes. Other files in it are kept.\n"
)
_LOCK, _NEW, _OLD = "lock", "new", "old"
_MADE_LATER = (REPORT, VERIFY_REPORT, VERIFIED)
"""What commands write into a build after its files were hashed, and a new one does without."""

_UNFINISHED = re.compile(rf"(?:^|/){re.escape(DRAFT)}[0-9a-f]{{16}}(?:/|$)")
_UNLOCKED_S = 60.0
"""A folder that a running export has made and not locked yet is younger than that."""


def read_model(build: Path) -> bytes:
    """Return the int8 .tflite of a build folder.

    Raises:
        EdgesqError: it holds none.
    """
    try:
        return read_bytes(build / TFLITE)
    except OSError as error:
        raise EdgesqError(
            f"holds no {TFLITE}", where=str(build), hint="`edgesq export` first"
        ) from error


def file_hashes(build: Path) -> dict[str, str]:
    """Return name and sha256 of every file below `build`, apart from what was compiled."""
    return {
        name: digest(path.read_bytes())
        for name, path in sorted(_below(build))
        if stat.S_ISREG(path.lstat().st_mode) and not _is_compiled(name)
    }


def check_plain(build: Path) -> None:
    """Refuse a firmware project that holds more than files and folders.

    Compiling might write through a link, or wait for a pipe.

    Raises:
        EdgesqError: it holds something else.
    """
    project = build / FIRMWARE
    for path in (project, *(path for _, path in _below(project))):
        if path.is_symlink() or not (path.is_file() or path.is_dir() or not path.exists()):
            said = "is a link" if path.is_symlink() else "is no file"
            raise EdgesqError(said, where=str(path), hint="export again: it is not compiled with")


def mark(build: Path) -> None:
    """Say that a folder is a build of ours."""
    write_whole(build / _MARKER, _MARKED)


def check_out(out: Path) -> None:
    """Refuse to write over what is not a build folder, or where nothing can be written.

    Raises:
        EdgesqError: the folder exists, is not empty and no export wrote it, or its files were
            changed since; it is the current folder or holds it, or a mounted disk; or no folder can
            be made there.
    """
    place = _real(out)
    try:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            _strange(out)
        if Path.cwd().is_relative_to(place):
            raise EdgesqError("is where you are now", where=str(out), hint="give another --out")
        if place.is_mount():  # it could not change places with a new folder
            raise EdgesqError("is a mounted disk", where=str(out), hint="give a folder in it")
        if place.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        nearest = next(folder for folder in place.parents if folder.exists())
        with contextlib.suppress(FileNotFoundError):
            place.lstat()  # whether it can have such a name
        tried = nearest / _new_name()
        tried.mkdir()
        tried.rmdir()
    except OSError as error:
        raise cannot_write(out, error, "--out") from error


def _strange(out: Path) -> tuple[str, ...]:
    """Return what lies in a build folder that no export wrote, by its name there.

    Raises:
        EdgesqError: it is no build folder, or a file that export wrote was changed.
    """
    hint = "give another --out, or remove it"
    place = _real(out)
    is_marked = False
    with contextlib.suppress(OSError, EdgesqError):
        is_marked = read_bytes(place / _MARKER) == _MARKED.encode()
    if not is_marked:
        raise EdgesqError("exists and is not a build folder", where=str(out), hint=hint)
    try:
        report = read_report(place)
    except EdgesqError as error:
        why = f"is a build folder whose files cannot be told from others: {error.message}"
        raise EdgesqError(why, where=str(out), hint=hint) from error
    ours: dict[str, str] = {**report.files, _MARKER: digest(_MARKED.encode())}
    strange = []
    for name, path in _below(place):
        is_file = stat.S_ISREG(path.lstat().st_mode)
        if _is_compiled(name) or name in _MADE_LATER or _UNFINISHED.search(name):
            continue
        if name not in ours or not is_file:
            strange.append(name)
        elif digest(path.read_bytes()) != ours[name]:
            raise EdgesqError(
                f"{name} was changed since it was exported", where=str(out), hint=hint
            )
    return tuple(sorted(strange))


def _below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of everything below a folder that is no folder, links not followed."""
    for here, _, _ in os.walk(folder):
        with os.scandir(here) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):  # a link to a folder is one thing
                    path = Path(entry.path)
                    yield path.relative_to(folder).as_posix(), path


def _is_compiled(name: str) -> bool:
    return name.startswith(f"{COMPILED}/")


@contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `out` at the end, or vanishes on an error.

    Whatever in an earlier build no export wrote goes into the new one, a running board's record
    with it.

    Raises:
        EdgesqError: what is there is not ours to replace.
    """
    place = _real(out)
    missing = [folder for folder in place.parents if not folder.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with scratch_beside(place) as scratch:
            folder = scratch / _NEW
            folder.mkdir()
            yield folder
            mark(folder)
            if place.is_dir() and any(place.iterdir()):
                _keep(place, folder, _strange(out))
            _replace(place, folder, scratch / _OLD)
    except BaseException:
        for made in missing:
            with contextlib.suppress(OSError):
                made.rmdir()
        raise


def _keep(old: Path, new: Path, names: tuple[str, ...]) -> None:
    """Have strange files in the new folder too, the same ones where the disk can."""
    for name in names:
        path = new / name
        if path.is_symlink() or path.exists():
            hint = "move the old one elsewhere"
            raise EdgesqError("would be written over", where=str(old / name), hint=hint)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(old / name, path, follow_symlinks=False)
        except OSError:
            shutil.copy2(old / name, path, follow_symlinks=False)


def _replace(place: Path, new: Path, old: Path) -> None:
    """Put `new` into the place of what is there, if anything is."""
    if not place.exists() or not exchange(new, place):
        if place.exists():
            place.rename(old)
        new.rename(place)


@contextmanager
def scratch_beside(place: Path) -> Iterator[Path]:
    """Yield a folder beside `place`, locked as long as this process lives, which does not stay.

    Those that killed processes left there are removed first.
    """
    _clear_away(place.parent)
    folder = place.parent / _new_name()
    folder.mkdir()
    try:
        with (folder / _LOCK).open("xb") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            lock.write(os.fsencode(place.name))
            lock.flush()
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clear_away(parent: Path) -> None:
    """Remove what killed exports left in a folder; one that lacks its build gets it back."""
    if fcntl is None:
        return
    for folder in parent.glob(f"{DRAFT}*"):
        is_ours = _UNFINISHED.fullmatch(folder.name)
        if not is_ours or folder.is_symlink() or not folder.is_dir():
            continue
        with contextlib.suppress(OSError, ValueError):  # it may be anybody's
            if not (folder / _LOCK).is_file():
                if time.time() - folder.stat().st_mtime > _UNLOCKED_S:
                    folder.rmdir()
                continue
            with (folder / _LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                place = parent / (Path(os.fsdecode(lock.read())).name or _NEW)
                if (folder / _OLD).is_dir() and not place.exists():
                    (folder / _OLD).rename(place)
                shutil.rmtree(folder, ignore_errors=True)


def _new_name() -> str:
    return f"{DRAFT}{secrets.token_hex(8)}"


def _real(out: Path) -> Path:
    """Return where a path leads: a link to a build stays, the build behind it is replaced."""
    return Path(os.path.realpath(out))
