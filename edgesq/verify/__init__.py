"""Stage `verify`: what the board computes against what it should, value by value."""

from edgesq.verify.report import VerifyReport
from edgesq.verify.run import VerifyOptions, find_board, verify

__all__ = ["VerifyOptions", "VerifyReport", "find_board", "verify"]
