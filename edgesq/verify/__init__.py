"""Stage `verify`: what the board computes against what it should, value by value."""

from edgesq.verify.history import Verified, recall
from edgesq.verify.inside import look_inside
from edgesq.verify.junit import write_junit
from edgesq.verify.pace import Outlook
from edgesq.verify.report import VerifyReport, read_json
from edgesq.verify.run import VerifyOptions, find_board, verify

__all__ = [
    "Outlook",
    "Verified",
    "VerifyOptions",
    "VerifyReport",
    "find_board",
    "look_inside",
    "read_json",
    "recall",
    "verify",
    "write_junit",
]
