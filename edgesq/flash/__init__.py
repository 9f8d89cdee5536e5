"""Stage `flash`: a compiled BUILD onto its board, one runner per tool."""

from edgesq.flash.board import Board
from edgesq.flash.run import flash, recorded, stop

__all__ = ["Board", "flash", "recorded", "stop"]
