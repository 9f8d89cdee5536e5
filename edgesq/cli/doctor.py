"""`edgesq doctor`."""

import os
import shutil
import subprocess
from dataclasses import dataclass

import typer
from rich.table import Table

from edgesq.cli import terminal
from edgesq.errors import ToolError

EXIT_MISSING = 2


@dataclass(frozen=True)
class Tool:
    """A program that a command needs.

    Attributes:
        program: its name on PATH.
        needed_for: in the user's words.
        packages: Debian packages that bring it.
    """

    program: str
    needed_for: str
    packages: str


TOOLS = (
    Tool(
        "arm-none-eabi-gcc", "compiling for Cortex-M", "gcc-arm-none-eabi libnewlib-arm-none-eabi"
    ),
    Tool("arm-none-eabi-size", "sizes in the report", "binutils-arm-none-eabi"),
    Tool("cmake", "building firmware", "cmake"),
    Tool("make", "building firmware", "make"),
    Tool("gcc", "target host, and the C row of the parity table", "gcc libc6-dev"),
    Tool("qemu-system-arm", "emulated boards", "qemu-system-arm"),
)


def run(install: bool) -> None:
    """Print what is there and what is not; install it, or exit 2 where something is missing."""
    missing = _missing()
    terminal.out.print(_table())
    if not missing:
        terminal.out.print(terminal.styled("Nothing is missing.", "green"))
        return
    command = _install_command(missing)
    terminal.say(terminal.shell(*command))
    if not install:
        raise typer.Exit(EXIT_MISSING)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    update = [*command[: command.index("install")], "update"]
    for step in (update, command):
        if shutil.which(step[0]) is None or subprocess.run(step, env=environment).returncode != 0:
            raise ToolError("failed", where=" ".join(step), hint="install the packages by hand")


def _table() -> Table:
    table = terminal.table(None, ["program", "needed for", "found"])
    for tool in TOOLS:
        found = shutil.which(tool.program) or terminal.styled("missing", "red")
        table.add_row(tool.program, tool.needed_for, found)
    return table


def _missing() -> list[str]:
    """Return the packages to install."""
    packages = [
        package
        for tool in TOOLS
        if shutil.which(tool.program) is None
        for package in tool.packages.split()
    ]
    return list(dict.fromkeys(packages))


def _install_command(packages: list[str]) -> list[str]:
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    return [*sudo, "apt-get", "install", "-y", "--no-install-recommends", *packages]
