"""`edgesq flash`."""

import shlex
from pathlib import Path

from edgesq.cli import terminal
from edgesq.targets import Target, load_target


def run(
    build: Path,
    target: str | None,
    stop_it: bool,
    runner: str | None,
    probe: str | None,
    dry_run: bool,
) -> None:
    """Compile if need be and program or start the board, show how, or stop it."""
    from edgesq.flash import PROCESSES, commands, runner_of, stop

    option = "" if str(build) == "build/edgesq" else f" --build {build}"
    if stop_it:
        was_running = stop(build)
        terminal.out.print("stopped" if was_running else "no board was running")
        return
    from edgesq.export import ensure_compiled

    wanted = load_target(target) if target else None
    if wanted is not None and not wanted.is_library:
        runner_of(wanted, runner)  # refused before anything is compiled
    with terminal.stages(8) as on_stage:
        board_target = ensure_compiled(build, wanted, on_stage)
    if dry_run:
        for command in commands(build, board_target, runner=runner, probe=probe):
            terminal.out.print(shlex.join(command), soft_wrap=True, markup=False)
    elif runner_of(board_target, runner) in PROCESSES:
        _start(build, board_target, runner, option)
    else:
        _program(build, board_target, runner, probe, option)


def _start(build: Path, target: Target, runner: str | None, option: str) -> None:
    from edgesq.flash import flash

    with terminal.stages(1) as on_stage:
        on_stage(f"start {target.description}")
        board = flash(build, target, runner=runner)
    terminal.out.print(f"{target.description} runs, serial device {board.port}")
    terminal.out.print(f"verify:  edgesq verify{option} --port {board.port}", soft_wrap=True)
    terminal.out.print(f"stop:    edgesq flash{option} --stop", soft_wrap=True)


def _program(
    build: Path, target: Target, runner: str | None, probe: str | None, option: str
) -> None:
    from edgesq.flash import program

    done: list[str] = []
    with terminal.stages(8) as on_stage:

        def begin(what: str) -> None:
            done.append(what)
            on_stage(what)

        result = program(build, target, begin, runner=runner, probe=probe)
    for what in done:
        terminal.out.print(what, soft_wrap=True, markup=False)
    compared = "programmed, read back and compared" if result.is_compared else "programmed"
    terminal.out.print(f"{target.description}: {compared}")
    if len(result.ports) == 1:
        terminal.out.print(f"It answers on {result.ports[0]}.")
    port = f" --port {result.ports[0]}" if len(result.ports) == 1 else " --port DEVICE"
    terminal.out.print(f"verify:  edgesq verify{option}{port}", soft_wrap=True)
