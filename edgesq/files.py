"""Files of others: read within bounds, written whole, and never through a link."""

import ctypes
import errno
import json
import math
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from edgesq.errors import EdgesqError
from edgesq.limits import MAX_FILE_BYTES

DRAFT = ".edgesq-"
"""Prefix of the names of unfinished files and folders."""

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_MAX_DIGITS = 20


def read_bytes(path: Path) -> bytes:
    """Return what a regular file holds.

    Raises:
        OSError: there is none, it is a pipe or device, or larger than any of ours.
    """
    # A pipe would be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "Is not a file", str(path))
        if facts.st_size > MAX_FILE_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        return file.read()


def read_text(path: Path) -> str:
    """Return what a text file of others holds; what is not UTF-8 is replaced.

    Raises:
        OSError: as `read_bytes`.
    """
    return read_bytes(path).decode(errors="replace").replace("\r\n", "\n")


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; its numbers are finite and of at most 20 digits.

    Raises:
        OSError: as `read_bytes`.
        ValueError: it is no such JSON, not UTF-8, or nested too deeply.
    """
    text = read_bytes(path).decode()
    try:
        return json.loads(text, parse_int=_int, parse_float=_float, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; a link in its place is replaced, not followed.

    Characters that are not UTF-8, as of odd file names, are written out.

    Raises:
        OSError: it cannot be written.
    """
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    with _draft(path) as (draft, descriptor):
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        draft.replace(path)


def write_output(path: Path, content: str) -> None:
    """Write a file that the user named, as `write_whole`; a pipe or device takes it as it is.

    Raises:
        OSError: it cannot be written.
    """
    if not _is_stream(path):
        write_whole(path, content)
        return
    # A pipe that nobody reads would be waited for.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(content)


def check_output(path: Path | None, option: str) -> None:
    """Refuse, before the work, a file that could not be written after it.

    Args:
        path: as the user named it; None where there is none to write.
        option: by which.

    Raises:
        EdgesqError: it is a folder, in none, or nothing can be written there.
    """
    if path is None:
        return
    if not path.parent.is_dir():
        raise EdgesqError("is in no folder that is there", where=str(path), hint=f"see {option}")
    try:
        if not _is_stream(path):
            with _draft(path) as (_, descriptor):
                os.close(descriptor)
    except OSError as error:
        raise cannot_write(path, error, option) from error


def _is_stream(path: Path) -> bool:
    """Say whether a path is a pipe, a terminal or the like, or one of the system's names for one.

    Any other link is one that is replaced and not followed: a build of others may hold it.

    Raises:
        OSError: it is a folder or a disk, or cannot be one's path.
    """
    is_name = str(path.absolute()).startswith(("/dev/", "/proc/"))
    if path.is_symlink():
        return is_name  # as /dev/stdout
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except FileNotFoundError:
        return False
    if kind not in (stat.S_IFREG, stat.S_IFCHR, stat.S_IFIFO):
        number = errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL
        raise OSError(number, os.strerror(number), str(path))
    return kind != stat.S_IFREG


def cannot_write(path: Path, error: OSError, option: str) -> EdgesqError:
    """Return the error that a path which the user named cannot be written."""
    return EdgesqError(
        f"cannot be written: {error.strerror}", where=str(path), hint=f"see {option}"
    )


def open_new(path: Path) -> int:
    """Return the descriptor of a new, empty file in the place of what is there, link or not.

    Raises:
        OSError: it cannot be made.
    """
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def exchange(one: Path, other: Path) -> bool:
    """Have two folders change places in one step; say whether this system and disk can.

    Source: Linux, renameat2(2).
    """
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    paths = (os.fsencode(one.absolute()), os.fsencode(other.absolute()))
    return bool(renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0)


@contextmanager
def _draft(path: Path) -> Iterator[tuple[Path, int]]:
    """Yield an open file beside `path` under a name that nobody foresees; it does not stay."""
    draft = path.with_name(f"{DRAFT}{secrets.token_hex(8)}")
    descriptor = open_new(draft)
    try:
        yield draft, descriptor
    finally:
        draft.unlink(missing_ok=True)


def _int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        _refuse(f"{digits[:_MAX_DIGITS]}...")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        _refuse(digits[:_MAX_DIGITS])
    return value


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number} is no number of ours")
