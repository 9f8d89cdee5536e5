"""`edgesq flash` of a folder that another build system built in."""

import os
from pathlib import Path

from edgesq.cli import terminal
from edgesq.flash import Emulating, Wish, foreign_run, refusal, system_of

_EXPORT = Path("EXPORTED")


def run(
    build: Path,
    target: str | None,
    stop_it: bool,
    runner: str | None,
    probe: str | None,
    dry_run: bool,
    tcp: bool,
    options: tuple[str, ...],
) -> None:
    """Program or start the board by the system's own program, show how, or stop it."""
    system = system_of(build)
    assert system is not None
    if target is not None:
        hint = "it is flashed to what it was built for"
        raise refusal("--target", system.name, build, hint)
    built = system.read(build, Wish(runner, probe, options))
    if isinstance(built, Emulating):
        _emulated(build, built, runner, stop_it, dry_run, tcp)
        return
    for option, is_given in (("--stop", stop_it), ("--tcp", tcp)):
        if is_given:
            raise refusal(option, system.name, build, f"{built.board} is no emulated board")
    if dry_run:
        terminal.show(foreign_run.commands(built))
        return
    with terminal.shown_stages() as begin:
        done = foreign_run.put(build, built, begin)
    compared = "programmed, read back and compared" if done.is_compared else "programmed"
    terminal.say(f"{built.board}: {compared}")
    if built.note:
        terminal.say(built.note)
    _say_verify(done)


def _emulated(
    build: Path, built: Emulating, runner: str | None, stop_it: bool, dry_run: bool, tcp: bool
) -> None:
    if stop_it:
        was_running = foreign_run.stop_started(build, built)
        terminal.say("stopped" if was_running else "no board was running")
        return
    if dry_run:
        terminal.show(foreign_run.commands(built, is_tcp=tcp))
        return
    with terminal.stages(1) as on_stage:
        on_stage(f"start {built.board}")
        done = foreign_run.put(build, built, on_stage, is_tcp=tcp)
    (port,) = done.ports
    terminal.say(f"{built.board}, emulated on this computer, runs, serial device {port}")
    _say_verify(done)
    named = ("--runner", runner) if runner else ()
    terminal.say(f"stop:    {terminal.on_build('flash', build, *named, '--stop')}")


def _say_verify(done: foreign_run.Put) -> None:
    """Say how to verify: the port need not be named where it is known to the export."""
    port = done.ports[0] if len(done.ports) == 1 else "PORT"
    named = () if done.export is not None and len(done.ports) == 1 else ("--port", port)
    export = _EXPORT if done.export is None else _as_seen_here(done.export)
    terminal.say(f"verify:  {terminal.on_build('verify', export, *named)}")


def _as_seen_here(folder: Path) -> Path:
    """Return a folder's path from here, where it is below."""
    here = Path.cwd()
    return Path(os.path.relpath(folder, here)) if folder.is_relative_to(here) else folder
