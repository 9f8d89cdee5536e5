"""Programs that commands start: whether they are there, and which package manager brings them.

All that is known of them stands in doctor.toml.
"""

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files

from edgesq.extras import is_installed
from edgesq.records import made

_VERSION = re.compile(r"(?:^|\s)v?(\d+(?:\.\d+)+)", re.M)
_TIMEOUT_S = 10


@dataclass(frozen=True)
class Manager:
    """A package manager.

    Attributes:
        program: its name on PATH.
        install: the command that takes packages behind it.
        update: the command to run before; empty where there is none.
        as_root: whether only root may install.
        note: what to do after; empty where nothing is.
    """

    program: str
    install: str
    update: str = ""
    as_root: bool = False
    note: str = ""

    def command(self, words: str) -> list[str]:
        """Return one of its commands, by sudo where only root may and this is another user."""
        is_user = self.as_root and getattr(os, "geteuid", lambda: 0)() != 0
        return [*(["sudo"] if is_user else []), *words.split()]


@dataclass(frozen=True)
class Tool:
    """A program that a command needs.

    Attributes:
        programs: its names on PATH; one of them is enough.
        needed_for: in the user's words.
        packages: by manager, what brings it.
        instead: Python packages that take its place, and what people call them.
        version: the option that prints its version; empty where there is none.
        elsewhere: how to get it where no manager has it.
        newer: how to get a newer one than a system of some years has.
    """

    programs: tuple[str, ...]
    needed_for: str
    packages: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    version: str = "--version"
    elsewhere: str = ""
    newer: str = ""

    @cached_property
    def path(self) -> str | None:
        """Where it is; None where it is not installed."""
        return next(filter(None, map(shutil.which, self.programs)), None)

    @property
    def substitute(self) -> str | None:
        """What is installed that takes its place; None where nothing is."""
        found = (title for package, title in self.instead.items() if is_installed(package))
        return next(found, None)

    @property
    def is_missing(self) -> bool:
        """Whether neither it nor what takes its place is there."""
        return self.path is None and self.substitute is None


@dataclass(frozen=True)
class Known:
    """What doctor.toml holds.

    Attributes:
        managers: by name, in the order in which they are preferred.
        tools: for compiling and for emulated boards.
        riscv_tools: the same for RISC-V, which few need.
        flash_tools: for real boards, of which each has its own.
    """

    managers: Mapping[str, Manager]
    tools: tuple[Tool, ...]
    riscv_tools: tuple[Tool, ...]
    flash_tools: tuple[Tool, ...]

    def here(self) -> dict[str, Manager]:
        """Return the package managers of this machine."""
        return {name: one for name, one in self.managers.items() if shutil.which(one.program)}


def known() -> Known:
    """Read doctor.toml."""
    text = files("edgesq.cli").joinpath("doctor.toml").read_text(encoding="utf-8")
    return made(Known, tomllib.loads(text))


def packages(tools: Sequence[Tool], manager: str) -> list[str]:
    """Return what a manager installs for tools, as far as it has them, each once."""
    words = (word for tool in tools for word in tool.packages.get(manager, "").split())
    return list(dict.fromkeys(words))


def version(tool: Tool) -> str:
    """Return the version that an installed tool says it has; empty where it says none."""
    if tool.path is None or not tool.version:
        return ""
    try:
        done = subprocess.run(
            [tool.path, tool.version], capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search((done.stdout + done.stderr).decode(errors="replace"))
    return found[1] if found else ""
