"""Operators by the formats that bring them, with their limits, as the stages' tables have them."""

import inspect
import re
import sys
from collections.abc import Callable
from typing import Any

from edgesq.formats.tflite.table import ADVICE, NAMES, READABLES
from edgesq.importers import supported
from edgesq.importers.operators.table import ONNX
from edgesq.importers.qoperators import FORMS
from edgesq.operators import READ_AS
from generate.markdown import code, plain, table

_RAISES = re.compile(r"Raises:\s*\n\s*ModelError: (.*)", re.S)


def of_tflite() -> str:
    """Return a row for each operator of a .tflite that is read."""
    rows = [[code(name), _meaning(name), _limits(READABLES[name].read)] for name in NAMES]
    return table(("operator", "what it does", "refused where"), rows)


def of_onnx() -> str:
    """Return a row for each operator of ONNX that is taken between activations."""
    quantized = {form.removeprefix("QLinear").removeprefix("Q"): form for form in FORMS}
    rows = [
        [code(name), code(quantized.pop(name, ""))] for name in sorted(ONNX) if name != "Requantize"
    ]
    return table(("operator", "its QOperator form"), rows)


def advice() -> str:
    """Return what to do about operators that are refused."""
    rows = [[code(name), ".tflite", plain(do)] for name, do in sorted(ADVICE.items())]
    rows += [[code(name), "ONNX", plain(do)] for name, do in sorted(supported.ADVICE.items())]
    return table(("operator", "in", "what to do"), rows)


def passed() -> str:
    """Return the operators of ONNX that move no value, and those that give constants only."""
    shapes = ", ".join(map(code, sorted(supported.SHAPES_ONLY | supported.PASSED)))
    rest = supported.COMPUTED_BEFOREHAND - supported.SHAPES_ONLY - supported.PASSED
    constants = ", ".join(map(code, sorted(rest)))
    return (
        f"Taken where they leave the values in their order: {shapes}.\n\nTaken where they give "
        + (f"constants: {constants}.\n")
    )


def _meaning(name: str) -> str:
    cls = READ_AS[name]
    if cls is None:
        return "left out at the output, where it makes int8 to floats"
    words = plain((cls.__doc__ or "").partition("\n")[0])
    return words if cls.kind == name else f"{words} (as {code(cls.kind)})"


def _limits(read: Callable[..., Any]) -> str:
    """Return when a reader refuses its operator, by its docstring."""
    words = inspect.getdoc(read) or ""
    if not words:  # a function made by another one
        outer = read.__qualname__.partition(".")[0]
        words = inspect.getdoc(getattr(sys.modules[read.__module__], outer)) or ""
    found = _RAISES.search(words)
    return plain(" ".join(found[1].split())) if found else ""
