"""What keeps state has no ONNX twin: a file that computes each image by itself has no place."""

from typing import Any, NoReturn

from edgesq.errors import ModelError
from edgesq.formats.onnx.scope import Writers
from edgesq.operators import Stateful


def refuse(_: Any, __: Any, op: Stateful, *___: str) -> NoReturn:
    """Refuse an operator that keeps state.

    Raises:
        ModelError: always.
    """
    raise ModelError(f"{op.kind} keeps state, for which an ONNX file has no place", where=op.name)


INTEGER: Writers = {Stateful: refuse}
FLOAT: Writers = {Stateful: refuse}
