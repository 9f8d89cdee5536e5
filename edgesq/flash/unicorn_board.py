"""A board in this process, its core run by Unicorn.

    python -m edgesq.flash.unicorn_board IMAGE.elf TARGET [TCP_PORT]

The serial line is stdin and stdout, or a TCP port of this computer.
"""

import sys
from pathlib import Path

from edgesq.errors import EdgesqError
from edgesq.flash.emulated_line import Line, Listener, Terminal
from edgesq.flash.image import read_image
from edgesq.flash.unicorn_core import Core
from edgesq.flash.unicorn_devices import MODELS, Clock
from edgesq.targets import load_target


def serve(image: Path, name: str, tcp_port: int | None) -> None:
    """Run an image until it does what it must not.

    Args:
        image: ELF file.
        name: of the target it was compiled for.
        tcp_port: where to listen; None for stdin and stdout.

    Raises:
        BoardError: the firmware faults, or is stuck.
        OSError: the TCP port is taken.
    """
    target = load_target(name)
    core = Core(target, read_image(image))
    line = Line(Terminal() if tcp_port is None else Listener(tcp_port), core.watch)

    def is_active() -> None:
        core.is_active()
        line.flush()

    assert target.port is not None  # it has a model
    devices = MODELS[target.port](target, line, Clock(target.counter_hz, is_active))
    line.start()
    core.run(devices, line)


if __name__ == "__main__":
    try:
        serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if sys.argv[3:] else None)
    except EdgesqError as error:
        sys.stderr.write(f"{error}\n")  # board.log
