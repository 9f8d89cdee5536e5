"""Stage `flash`: a compiled BUILD, or what another system built, onto its board by `RUNNERS`."""

from edgesq.flash import foreign_run
from edgesq.flash.board import Board
from edgesq.flash.damage import layer_named
from edgesq.flash.foreign import Emulating, Wish, refusal
from edgesq.flash.hardware import commands, program
from edgesq.flash.run import flash, port_known, recorded, stop, stop_board
from edgesq.flash.runner import Process, Programmed, Programmer, Runner
from edgesq.flash.runners import FOR_BUILDS, FOR_PROJECTS, RUNNERS, check_target, runner_of
from edgesq.flash.systems import system_of

__all__ = [
    "FOR_BUILDS",
    "FOR_PROJECTS",
    "RUNNERS",
    "Board",
    "Emulating",
    "Process",
    "Programmed",
    "Programmer",
    "Runner",
    "Wish",
    "check_target",
    "commands",
    "flash",
    "foreign_run",
    "layer_named",
    "port_known",
    "program",
    "recorded",
    "refusal",
    "runner_of",
    "stop",
    "stop_board",
    "system_of",
]
