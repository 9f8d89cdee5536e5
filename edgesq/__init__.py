"""Put small int8 image networks on microcontrollers and prove that they work there.

    Keras --> quantize --> int8 .tflite --> plan --> C data --> firmware --> flash --> verify
      ^        (PTQ)        the one |       bands,   tables     kernels by   a real    device
      |                   source of |       rings               hand, C11    serial    = host,
    calibration           numbers   +--> ONNX (integer, QDQ)                 port      bit for bit

    import edgesq

    build = edgesq.export("person.keras", calibration="photos/", target="stm32f405")
    with build.flash() as board:              # emulated or real, the same call
        report = board.verify("test_photos/")
    assert report.equal
    build.plan, build.sizes, report.accuracy, build.predict("test_photos/person/1.png")

Quantization happens once; scales, zero points and weights are read from the .tflite by every stage
after it. Each stage is a folder, imports only earlier stages and never prints; `edgesq.cli` does.
What is named in `__all__` is public, and loaded when it is first asked for; heavy libraries are
loaded when what needs them is called.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from edgesq.version import VERSION

if TYPE_CHECKING:
    from edgesq.api.board import Board
    from edgesq.api.build import Build, load
    from edgesq.api.export import ExportArguments, export
    from edgesq.api.prediction import Prediction
    from edgesq.api.progress import OnProgress, Progress
    from edgesq.api.verifying import VerifyArguments
    from edgesq.builds.facts import ExportReport
    from edgesq.errors import (
        BoardError,
        DamagedError,
        EdgesqError,
        FitError,
        ImageError,
        MissingExtraError,
        MissingToolError,
        ModelError,
        OldToolError,
        TargetError,
        ToolError,
    )
    from edgesq.targets import Target, list_targets, load_target
    from edgesq.verify.report import VerifyReport
    from edgesq.verify.thresholds import ThresholdResult

__version__ = VERSION

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
"""ONNX Runtime would tell its vendor that it runs; it asks when it is loaded."""

__all__ = [
    "Board",
    "BoardError",
    "Build",
    "DamagedError",
    "EdgesqError",
    "ExportArguments",
    "ExportReport",
    "FitError",
    "ImageError",
    "MissingExtraError",
    "MissingToolError",
    "ModelError",
    "OldToolError",
    "OnProgress",
    "Prediction",
    "Progress",
    "Target",
    "TargetError",
    "ThresholdResult",
    "ToolError",
    "VerifyArguments",
    "VerifyReport",
    "__version__",
    "export",
    "list_targets",
    "load",
    "load_target",
]

_HOMES = {
    "api.board": ("Board",),
    "api.build": ("Build", "load"),
    "api.export": ("ExportArguments", "export"),
    "api.prediction": ("Prediction",),
    "api.progress": ("OnProgress", "Progress"),
    "api.verifying": ("VerifyArguments",),
    "builds.facts": ("ExportReport",),
    "errors": tuple(name for name in __all__ if name.endswith("Error")),
    "targets": ("Target", "list_targets", "load_target"),
    "verify.report": ("VerifyReport",),
    "verify.thresholds": ("ThresholdResult",),
}
"""By module: the public names that are defined there."""


def __getattr__(name: str) -> Any:
    """Load a public name from where it is defined."""
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f"edgesq.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'edgesq' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
