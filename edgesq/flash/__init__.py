"""Stage `flash`: a compiled BUILD onto its board, one runner per tool."""

from edgesq.flash.board import Board
from edgesq.flash.hardware import Programmed, commands, program
from edgesq.flash.run import flash, recorded, stop
from edgesq.flash.runners import PROCESSES, PROGRAMMERS, runner_of

__all__ = [
    "PROCESSES",
    "PROGRAMMERS",
    "Board",
    "Programmed",
    "commands",
    "flash",
    "program",
    "recorded",
    "runner_of",
    "stop",
]
