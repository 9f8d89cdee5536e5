"""The command line: the only place that prints, catches and exits."""

import signal
import sys
from io import TextIOWrapper
from types import FrameType


def main() -> None:
    """Run the `edgesq` command; SIGTERM ends it as Ctrl-C does: what it holds is given back."""
    from edgesq.cli.app import app

    signal.signal(signal.SIGTERM, _end)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    app()


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
