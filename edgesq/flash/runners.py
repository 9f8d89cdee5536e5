"""The table of runners, and which of them a target is flashed by."""

from pathlib import Path
from typing import Any

from edgesq.errors import (
    EdgesqError,
    MissingExtraError,
    MissingToolError,
    OldToolError,
    TargetError,
    ToolError,
    did_you_mean,
)
from edgesq.flash import (
    bossac,
    dfu,
    gdb,
    host,
    jlink,
    openocd,
    picotool,
    pyocd,
    qemu,
    rp2040,
    stflash,
    tflm,
    uf2,
    unicorn,
)
from edgesq.flash.attached import is_attached
from edgesq.flash.keys import Key
from edgesq.flash.runner import Process, Programmer, Runner
from edgesq.flash.steps import Job
from edgesq.flash.systems import SYSTEMS
from edgesq.project import firmware_path
from edgesq.targets import Target

_FOR_BUILDS: tuple[Process | Programmer[Job], ...] = (
    host.RUNNER,
    tflm.RUNNER,
    gdb.RUNNER,
    qemu.RUNNER,
    unicorn.RUNNER,
    rp2040.RUNNER,
    openocd.RUNNER,
    stflash.RUNNER,
    pyocd.RUNNER,
    jlink.RUNNER,
    dfu.RUNNER,
    picotool.RUNNER,
    uf2.RUNNER,
    bossac.RUNNER,
)

FOR_BUILDS = {runner.name: runner for runner in _FOR_BUILDS}
"""By name, runners that put the firmware of a BUILD folder on a target."""

FOR_PROJECTS = {
    programmer.name: programmer for system in SYSTEMS for programmer in system.programmers
}
"""By name, runners that put a project on a board that another tool has built."""

RUNNERS: dict[str, Runner] = {**FOR_BUILDS, **FOR_PROJECTS}


def runner_of(
    target: Target, wanted: str | None, probe: str | None = None
) -> Process | Programmer[Job]:
    """Return the runner to use: the one wanted, else the first that is installed.

    A board that is there is never taken for an emulated one unless that is asked for. Where a
    target's first runner is for real boards and none is seen, its emulated one is taken.

    Args:
        target: the board.
        wanted: name of a runner.
        probe: serial number of a debug probe or bootloader: there is a board, then.

    Raises:
        TargetError: the target is not flashed that way, or its file is not as runners need it.
    """
    check_target(target)
    if wanted is not None:
        if wanted not in target.runners:
            is_library = "it is a library for your own project"
            hint = did_you_mean(wanted, target.runners) if target.runners else is_library
            raise TargetError(f"is not flashed by '{wanted}'", where=target.name, hint=hint)
        return FOR_BUILDS[wanted]
    if not target.runners:
        raise TargetError("has no runner", where=target.name, hint="it is a library only")
    first, *_ = runners = [FOR_BUILDS[name] for name in target.runners]
    if isinstance(first, Process):
        return next((runner for runner in runners if runner.is_installed(target)), first)
    emulators = (runner for runner in runners if isinstance(runner, Process))
    emulator = next((runner for runner in emulators if runner.is_installed(target)), None)
    if emulator is not None and probe is None and not is_attached(target):
        return emulator
    programmers = (runner for runner in runners if isinstance(runner, Programmer))
    return next((runner for runner in programmers if runner.is_installed(target)), first)


def missing_emulator(build: Path, target: Target) -> EdgesqError | None:
    """Return what the emulated board lacks that would be taken as no real one is seen, if any."""
    runners = (FOR_BUILDS[name] for name in target.runners)
    emulator = next((runner for runner in runners if isinstance(runner, Process)), None)
    if emulator is None or is_attached(target):
        return None
    try:
        emulator.command(build, target, None)
    except (MissingExtraError, MissingToolError, OldToolError) as missing:
        return missing
    return None


def check_target(target: Target) -> None:
    """Hold a target's `runners` and its table [flash] against the table of runners.

    Raises:
        TargetError: a runner or key is not known, or a runner lacks a key.
    """
    where = f"{target.name}.toml"
    for name in target.runners:
        if name not in FOR_BUILDS:
            raise TargetError(f"key 'runners' may hold {', '.join(FOR_BUILDS)}", where=where)
        for key in FOR_BUILDS[name].needs:
            if key.find(target) is None:
                raise TargetError(
                    f"key '{key.name}' is missing, runner '{name}' needs it", where=where
                )
    known = {key.name: key for runner in FOR_BUILDS.values() for key in _keys(runner)}
    for name in target.flash:
        if name not in known:
            hint = f"known: {', '.join(known)}"
            raise TargetError(f"unknown key '{name}'", where=f"{where} [flash]", hint=hint)
        known[name].of(target)


def _keys(runner: Process | Programmer[Job]) -> tuple[Key[Any], ...]:
    """Return all keys that a runner reads."""
    probe = runner.probe_ids if isinstance(runner, Programmer) else None
    return (*runner.needs, probe) if probe else runner.needs


def compiled(build: Path, target: Target) -> Path:
    """Return the compiled firmware of a BUILD folder.

    Raises:
        ToolError: it is not compiled.
    """
    image = firmware_path(build / "firmware", target)
    if not image.is_file():
        raise ToolError("the firmware is not compiled", where=str(image), hint="edgesq export")
    return image
