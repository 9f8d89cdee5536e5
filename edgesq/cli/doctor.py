"""`edgesq doctor`."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import typer
from rich.table import Table
from rich.text import Text

from edgesq.cli import terminal
from edgesq.cli.tools import Known, Tool, known, packages, version
from edgesq.errors import ToolError
from edgesq.extras import EXTRAS, LITERT, is_installed
from edgesq.flash import qemu
from edgesq.flash.access import Access, serial_access, udev_rules
from edgesq.targets import Target, list_targets

EXIT_MISSING = 2
_MISSING = terminal.styled("missing", "red")
TOOLCHAIN = next(extra for extra in EXTRAS if extra.name == "toolchain")


def run(install: bool, udev: bool) -> None:
    """Print what is there and what is not; install it, or exit 2 where something is missing."""
    if udev:
        terminal.out.file.write(udev_rules(list_targets()))
        return
    table = known()
    missing = [tool for tool in table.tools if tool.is_missing]
    absent = [tool for tool in table.tools if tool.path is None]
    terminal.out.print(_tools("program", table.tools, lambda _: _MISSING))
    for title, tools in (("for RISC-V", table.riscv_tools), ("for real boards", table.flash_tools)):
        terminal.out.print(_tools(title, tools, partial(_how, table.here())))
    terminal.out.print(_extras())
    for target in list_targets():
        _say_too_old(table, target)
    for access in serial_access():
        _say(access)
    if install and absent:
        _install(table, absent)
    elif missing:
        _advise(table, missing)
        raise typer.Exit(EXIT_MISSING)
    else:
        terminal.out.print(terminal.styled("Nothing is missing.", "green"))


def _tools(title: str, tools: Sequence[Tool], absent: Callable[[Tool], Text | str]) -> Table:
    """Return what is there of tools; `absent` says what to show where nothing is."""
    table = terminal.table(None, [title, "needed for", "version", "found"])
    with ThreadPoolExecutor() as pool:
        versions = list(pool.map(version, tools))
    for tool, number in zip(tools, versions, strict=True):
        found: Text | str | None = tool.path
        if found is None:
            instead = tool.substitute
            found = absent(tool) if instead is None else f"{instead} takes its place"
        table.add_row(" or ".join(tool.programs), tool.needed_for, number, found)
    return table


def _how(managers: Iterable[str], tool: Tool) -> str:
    """Return how to get a tool on this machine."""
    name = next((name for name in managers if name in tool.packages), None)
    return tool.elsewhere if name is None else f"{name}: {tool.packages[name]}"


def _extras() -> Table:
    table = terminal.table(None, ["Python packages", "needed for", "found"])
    litert = "installed" if is_installed(LITERT) else "not here: numpy takes its place"
    table.add_row("LiteRT", "TensorFlow Lite's reference kernels", litert)
    for extra in EXTRAS:
        command = terminal.styled(extra.command, "yellow")
        table.add_row(extra.name, extra.needed_for, command if extra.missing else "installed")
    return table


def _say_too_old(table: Known, target: Target) -> None:
    """Say so where the installed QEMU does not model a board yet; others it does."""
    version = qemu.too_old(target)
    if version is not None:
        tools = (*table.tools, *table.riscv_tools)
        tool = next(tool for tool in tools if target.emulator in tool.programs)
        what = f"{target.name} needs {target.emulator} {target.machine_since}"
        terminal.say(terminal.styled(what, "yellow"), f": here is {version}; {tool.newer}")


def _say(access: Access) -> None:
    style = "green" if access.is_good else "yellow"
    terminal.say(terminal.styled(access.what, style), f": {access.detail}")


def _advise(table: Known, missing: Sequence[Tool]) -> None:
    """Print what installs the tools that are missing, by each way that there is."""
    for name, manager in (table.here() or table.managers).items():
        wanted = packages(missing, name)
        if wanted:
            note = f"  # {manager.note}" if manager.note else ""
            terminal.say(terminal.shell(*manager.command(manager.install), *wanted) + note)
    terminal.say(f"{TOOLCHAIN.command}  # without root, by pip alone")


def _install(table: Known, absent: Sequence[Tool]) -> None:
    """Install tools by the first package manager that is there.

    Raises:
        ToolError: there is none, or it failed.
    """
    here = table.here()
    if not here:
        raise ToolError("no package manager is found", hint=TOOLCHAIN.command)
    name, manager = next(iter(here.items()))
    install = [*manager.command(manager.install), *packages(absent, name)]
    update = manager.command(manager.update)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (update, install) if manager.update else (install,):
        terminal.say(terminal.shell(*step))
        if shutil.which(step[0]) is None or subprocess.run(step, env=environment).returncode != 0:
            raise ToolError("failed", where=" ".join(step), hint="install the packages by hand")
