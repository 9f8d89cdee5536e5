"""A project of ESP-IDF that its owner has built, as the build's `flasher_args.json` describes it.

Source: ESP-IDF, components/esptool_py/flasher_args.json.in and project_include.cmake.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgesq.errors import EdgesqError, ToolError
from edgesq.files import read_json

NAME = "ESP-IDF"

DESCRIPTION = "flasher_args.json"

_SETTINGS = ("flash_mode", "flash_size", "flash_freq")
_SECTOR_BYTES = 4096
"""Erased together, whichever part of them is written."""


@dataclass(frozen=True)
class Project:
    """What is to be put on which chip.

    Attributes:
        chip: as ESP-IDF calls it, "esp32s3".
        files: offset in flash in bytes, and the file that goes there, by offset.
        settings: values of flash_mode, flash_size and flash_freq, in this order.
        before: how the chip is brought into its bootloader, as esptool calls it, with dashes.
        after: how it is left, likewise.
        has_stub: whether esptool may run its own loader in the chip's RAM.
    """

    chip: str
    files: tuple[tuple[int, Path], ...]
    settings: tuple[tuple[str, str], ...]
    before: str
    after: str
    has_stub: bool

    @property
    def is_started(self) -> bool:
        """Whether the chip is reset in the end; ESP-IDF leaves that out where boot is secured."""
        return not self.after.startswith("no-reset")


def is_project(folder: Path) -> bool:
    """Return whether a folder is one that ESP-IDF built in, or holds that one as `build`."""
    return _description(folder).is_file()


def _description(folder: Path) -> Path:
    paths = (folder / DESCRIPTION, folder / "build" / DESCRIPTION)
    return next((path for path in paths if path.is_file()), paths[0])


def read_project(folder: Path) -> Project:
    """Read what `idf.py build` left in its build folder.

    Args:
        folder: the project's, or its build folder.

    Raises:
        EdgesqError: the description is not of ESP-IDF's form, or its flash is encrypted.
        ToolError: a file that it names is not there.
    """
    path = _description(folder)
    try:
        table = read_json(path)
        extra = table["extra_esptool_args"]
        _check_plain(table, path)
        return Project(
            chip=_word(extra["chip"]),
            files=_files(table["flash_files"], path.resolve().parent),
            settings=tuple((key, _word(table["flash_settings"][key])) for key in _SETTINGS),
            before=_word(extra["before"]).replace("_", "-"),
            after=_word(extra["after"]).replace("_", "-"),
            has_stub=str(extra.get("stub", True)).lower() == "true",
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EdgesqError(
            f"is not as ESP-IDF writes it: {error!r}",
            where=str(path),
            hint="`idf.py build` with ESP-IDF 4.3 or later",
        ) from error


def _word(value: Any) -> str:
    """Return a value that goes into a command; none may look like an option.

    Raises:
        ValueError: it is no word.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][\w-]*", value):
        raise ValueError(f"no word: {value!r}")
    return value


def _files(table: dict[str, str], folder: Path) -> tuple[tuple[int, Path], ...]:
    """Return the files by offset.

    Raises:
        ValueError: none, a wrong offset, or two in the same sector of the flash.
        ToolError: one is not there.
    """
    files = sorted((int(offset, 16), folder / name) for offset, name in table.items())
    if not files or files[0][0] < 0:
        raise ValueError(f"flash_files: {table}")
    end = 0
    for offset, path in files:
        if not path.is_file() or not path.stat().st_size:
            raise ToolError("is not built", where=str(path), hint="`idf.py build` first")
        if offset < end:
            raise ValueError(f"flash_files overlap at {offset:#x}")
        size = path.stat().st_size
        end = (offset + size + _SECTOR_BYTES - 1) // _SECTOR_BYTES * _SECTOR_BYTES
    return tuple(files)


def _check_plain(table: dict[str, Any], path: Path) -> None:
    """Refuse encrypted flash: a plain image would be written over what the chip decrypts.

    Raises:
        EdgesqError: a part is to be encrypted.
    """
    parts = (part for part in table.values() if isinstance(part, dict))
    if any(str(part.get("encrypted")).lower() == "true" for part in parts):
        hint = "`idf.py encrypted-flash` does it; only ESP-IDF knows the chip's state"
        raise EdgesqError("the project's flash is encrypted", where=str(path), hint=hint)
