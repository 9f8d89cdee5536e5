"""Operators on int16 have no ONNX twin: ONNX Runtime has no integer convolution of int16."""

from typing import Any, NoReturn

from edgesq.errors import ModelError
from edgesq.formats.onnx.scope import Writers
from edgesq.operators import Int16


def refuse(_: Any, __: Any, op: Int16, *___: str) -> NoReturn:
    """Refuse an operator on int16.

    Raises:
        ModelError: always.
    """
    raise ModelError(f"ONNX has no integer form of {op.kind} on int16", where=op.name)


INTEGER: Writers = {Int16: refuse}
FLOAT: Writers = {Int16: refuse}
