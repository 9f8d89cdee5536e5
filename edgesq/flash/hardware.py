"""Put a compiled BUILD on a board that is there, and hear from it."""

import time
from collections.abc import Callable
from pathlib import Path

from edgesq.errors import BoardError, DamagedError, TargetError, ToolError
from edgesq.flash.board import remove_line
from edgesq.flash.damage import layer_named
from edgesq.flash.image import read_image
from edgesq.flash.process import free_port, has_ptys
from edgesq.flash.runner import Process, Programmed, Programmer
from edgesq.flash.runners import compiled, missing_emulator, runner_of
from edgesq.flash.steps import Job
from edgesq.link.client import Client
from edgesq.link.transport import find_ports, find_serial_numbers, open_port
from edgesq.targets import Target

_ATTEMPT_S = 1.0
_OWN_LINE_S = 5.0
_POLL_S = 0.1


def program(
    build: Path,
    target: Target,
    on_stage: Callable[[str], None],
    *,
    runner: str | None = None,
    probe: str | None = None,
    timeout: float = 10.0,
) -> Programmed:
    """Program a board and wait until it answers.

    Args:
        build: a BUILD folder whose firmware is compiled.
        target: the target it was compiled for, one with a board of its own.
        on_stage: is told each command before it runs.
        runner: one of the target's; None for the first whose program is installed.
        probe: serial number of the debug probe or bootloader; None where there is but one.
        timeout: seconds in which the board must answer, where its serial device is found.

    Raises:
        TargetError: the target has no such runner.
        ToolError: firmware or program is missing, or the program failed.
        BoardError: no board, several, another one, a difference, or no answer.
    """
    chosen = runner_of(target, runner, probe)
    if isinstance(chosen, Process):
        hint = "start it by `flash`"
        raise TargetError(f"'{chosen.name}' is a process", where=target.name, hint=hint)
    _check_one_probe(target, chosen, probe)
    job = _job(build, target, probe)
    try:
        chosen.run(job, on_stage)
    except (BoardError, ToolError) as error:
        missing = missing_emulator(build, target) if runner is None and probe is None else None
        if missing is not None:
            an_emulated = f"an emulated one: {missing.message}, {missing.hint}"
            error.hint = f"{error.hint}; {an_emulated}" if error.hint else an_emulated
        raise
    remove_line(build)
    ports = tuple(ports_of(target, probe))
    if len(ports) == 1:
        on_stage(f"wait for {ports[0]}")
        with layer_named(build):
            _wait_for_answer(ports[0], target, timeout)
    return Programmed(chosen.name, chosen.is_compared, ports)


def commands(
    build: Path,
    target: Target,
    *,
    runner: str | None = None,
    probe: str | None = None,
    is_tcp: bool = False,
) -> list[tuple[str, ...]]:
    """Return what `flash` or `program` would run, without touching a board.

    Raises:
        TargetError: the target has no such runner.
        ToolError: the firmware is not compiled, or an emulator is missing.
    """
    chosen = runner_of(target, runner, probe)
    if isinstance(chosen, Process):
        tcp_port = free_port() if is_tcp or not has_ptys() else None
        return [tuple(chosen.command(build, target, tcp_port))]
    return [step.command for step in chosen.steps(_job(build, target, probe))]


def _job(build: Path, target: Target, probe: str | None) -> Job:
    """Return what is to be programmed, its image written as a flat file."""
    elf = compiled(build, target).resolve()
    job = Job(target, read_image(elf), elf, elf.parent, probe)
    job.flat.write_bytes(job.image.data)
    job.read_back.unlink(missing_ok=True)
    return job


def ports_of(target: Target, probe: str | None = None) -> list[str]:
    """Return where the board may answer; its own USB line comes back some time after a reset."""
    deadline = time.monotonic() + (_OWN_LINE_S if target.own_usb_ids else 0.0)
    while target.own_usb_ids:
        own = find_ports(target.own_usb_ids, probe) or find_ports(target.own_usb_ids)
        if own:
            return own
        if time.monotonic() > deadline:
            break
        time.sleep(_POLL_S)
    return find_ports(target.usb_ids, probe) or find_ports(target.usb_ids)


def _check_one_probe(target: Target, runner: Programmer[Job], probe: str | None) -> None:
    ids = runner.probe_ids.find(target) if runner.probe_ids else None
    numbers = find_serial_numbers(ids) if ids else []
    if probe is None and len(numbers) > 1:
        hint = "choose one with --probe"
        raise BoardError(f"several debug probes: {', '.join(numbers)}", hint=hint)


def _wait_for_answer(port: str, target: Target, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            with open_port(port) as transport:
                board = Client(transport, timeout=_ATTEMPT_S).hello().board
            break
        except DamagedError:
            raise
        except BoardError as error:
            if time.monotonic() > deadline:
                raise BoardError(
                    f"programmed, but it does not answer: {error.message}",
                    where=port,
                    hint="press reset; `edgesq verify --port` names another serial device",
                ) from error
    if board != target.name:
        hint = "name its port: edgesq verify --port"
        raise BoardError(
            f"here answers {board or 'a board without a name'}, not {target.name}",
            where=port,
            hint=hint,
        )
