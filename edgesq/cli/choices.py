"""What arguments take, beside `edgesq.choices`."""

from enum import Enum


class Document(Enum):
    """JSON that commands write, and TOML of boards."""

    REPORT = "report"
    VERIFY = "verify"
    EVALUATE = "evaluate"
    TARGET = "target"
    PLAN = "plan"
    INSPECT = "inspect"
    TARGETS = "targets"
    FITS = "targets-fits"
    RUNTIMES = "compare-runtimes"
