"""`edgesq flash`."""

from pathlib import Path

from edgesq.cli import terminal
from edgesq.errors import EdgesqError
from edgesq.targets import Target


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
    """Compile if need be and program or start the board, show how, or stop it."""
    from edgesq.flash import commands, stop, system_of

    if system_of(build) is not None:
        from edgesq.cli.flash_foreign import run as run_foreign

        run_foreign(build, target, stop_it, runner, probe, dry_run, tcp, options)
        return
    if options:
        hint = "only programs of other build systems are handed options"
        raise EdgesqError(f"takes no {options[0]}", where=str(build), hint=hint)
    if stop_it:
        was_running = stop(build)
        terminal.say("stopped" if was_running else "no board was running")
        return
    from edgesq.api.flashing import is_process, made_ready

    with terminal.stages(8) as on_stage:
        board_target = made_ready(build, target, runner, on_stage)
    if dry_run:
        terminal.show(commands(build, board_target, runner=runner, probe=probe, is_tcp=tcp))
    elif is_process(board_target, runner, probe):
        _start(build, board_target, runner, tcp)
    else:
        _program(build, board_target, runner, probe)


def _start(build: Path, target: Target, runner: str | None, tcp: bool) -> None:
    from edgesq.api.flashing import put

    with terminal.stages(1) as on_stage:
        (port,) = put(build, target, runner, None, on_stage, is_tcp=tcp).ports
    emulated = ", emulated on this computer," if not target.is_host else ""
    terminal.say(f"{target.description}{emulated} runs, serial device {port}")
    _say_verify(build, port)
    terminal.say(f"stop:    {terminal.on_build('flash', build, '--stop')}")


def _program(build: Path, target: Target, runner: str | None, probe: str | None) -> None:
    from edgesq.api.flashing import put

    with terminal.shown_stages() as begin:
        result = put(build, target, runner, probe, begin)
    compared = "programmed, read back and compared" if result.is_compared else "programmed"
    terminal.say(f"{target.description}: {compared}")
    if len(result.ports) == 1:
        terminal.say(f"It answers on {result.ports[0]}.")
    _say_verify(build, result.ports[0] if len(result.ports) == 1 else "DEVICE")


def _say_verify(build: Path, port: str) -> None:
    terminal.say(f"verify:  {terminal.on_build('verify', build, '--port', port)}")
