"""Stage `flash`: a compiled BUILD onto its board, one runner per tool; or ESP-IDF's, by esptool."""

from edgesq.flash import esptool
from edgesq.flash.board import Board
from edgesq.flash.damage import layer_named
from edgesq.flash.esp_idf import is_project, read_project
from edgesq.flash.hardware import Programmed, commands, program
from edgesq.flash.run import flash, recorded, stop
from edgesq.flash.runners import PROCESSES, PROGRAMMERS, runner_of

__all__ = [
    "PROCESSES",
    "PROGRAMMERS",
    "Board",
    "Programmed",
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
]
