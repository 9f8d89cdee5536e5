"""`edgesq flash`."""

from pathlib import Path

from edgesq.cli import terminal
from edgesq.targets import load_target


def run(build: Path, target: str | None, stop_it: bool) -> None:
    """Compile if need be and start the board, or stop it."""
    from edgesq.flash import flash, stop

    option = "" if str(build) == "build/edgesq" else f" --build {build}"
    if stop_it:
        was_running = stop(build)
        terminal.out.print("stopped" if was_running else "no board was running")
        return
    from edgesq.export import ensure_compiled

    with terminal.stages(2) as on_stage:
        board_target = ensure_compiled(build, load_target(target) if target else None, on_stage)
        on_stage(f"start {board_target.description}")
        board = flash(build, board_target)
    terminal.out.print(f"{board_target.description} runs, serial device {board.port}")
    terminal.out.print(f"verify:  edgesq verify{option} --port {board.port}", soft_wrap=True)
    terminal.out.print(f"stop:    edgesq flash{option} --stop", soft_wrap=True)
