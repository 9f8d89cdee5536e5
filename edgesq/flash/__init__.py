"""Stage `flash`: a compiled BUILD, or a project of ESP-IDF, onto its board by one of `RUNNERS`."""

from edgesq.flash import esptool
from edgesq.flash.board import Board
from edgesq.flash.damage import layer_named
from edgesq.flash.esp_idf import is_project, read_project
from edgesq.flash.hardware import commands, program
from edgesq.flash.run import flash, recorded, stop, stop_board
from edgesq.flash.runner import Process, Programmed, Programmer, Runner
from edgesq.flash.runners import FOR_BUILDS, FOR_PROJECTS, RUNNERS, check_target, runner_of

__all__ = [
    "FOR_BUILDS",
    "FOR_PROJECTS",
    "RUNNERS",
    "Board",
    "Process",
    "Programmed",
    "Programmer",
    "Runner",
    "check_target",
    "commands",
    "esptool",
    "flash",
    "is_project",
    "layer_named",
    "program",
    "read_project",
    "recorded",
    "runner_of",
    "stop",
    "stop_board",
]
