"""What options and arguments take, beside `edgesq.choices`."""

from enum import Enum


class Runtime(Enum):
    """What computes on the board."""

    EDGESQ = "edgesq"
    TFLM = "tflm"


class Fit(Enum):
    """How images of other proportions get the model's."""

    STRETCH = "stretch"
    CROP = "crop"
    PAD = "pad"


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
