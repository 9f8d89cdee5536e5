"""What a firmware around TensorFlow Lite Micro needs of a model."""

from collections.abc import Sequence

import numpy as np

from edgesq.calibrate import Preprocessing
from edgesq.codegen.generate import tflite_array
from edgesq.codegen.header import model_header
from edgesq.codegen.text import template
from edgesq.errors import ModelError
from edgesq.formats.tflite import operator_kinds
from edgesq.graph import Graph
from edgesq.operators import READ_AS
from edgesq.targets import TFLM_KERNELS

_UNKNOWN = frozenset(
    {
        "DEQUANTIZE",
        "MAXIMUM",
        "MINIMUM",
        "REDUCE_MAX",
        "REDUCE_MIN",
        "RELU_0_TO_1",
        "RELU_N1_TO_1",
        "TILE",
    }
)
"""Operators that edgesq reads, and knows no method of TensorFlow Lite Micro to add them."""


def resolver(kind: str) -> str | None:
    """Return the method of tflite::MicroMutableOpResolver that adds an operator, by its name.

    Returns:
        None where no such method is known.
    """
    if kind not in READ_AS or kind in _UNKNOWN:
        return None
    words = kind.replace("PADV2", "PAD_V2").split("_")
    return "Add" + "".join(word.title() for word in words)


def generate_tflm(
    graph: Graph,
    tflite: bytes,
    arena_bytes: int,
    name: str,
    classes: Sequence[str] = (),
    preprocessing: Preprocessing | None = None,
) -> dict[str, str]:
    """Return the model for a firmware around TensorFlow Lite Micro, file name to text.

    Args:
        graph: the model.
        tflite: the bytes it was read from, which the interpreter reads too.
        arena_bytes: arena that the interpreter is given.
        name: what its C names begin with; `check_name` has passed it.
        classes: their names, by number; none where nobody says.
        preprocessing: from pixels to the model's input; None for what is usual.

    Raises:
        ModelError: an operator whose name in TensorFlow Lite Micro is not known here.
    """
    kinds = sorted(operator_kinds(tflite))
    resolvers = {kind: resolver(kind) for kind in kinds}
    unknown = [kind for kind, name in resolvers.items() if name is None]
    if unknown:
        raise ModelError(f"no TensorFlow Lite Micro kernel is known for {', '.join(unknown)}")
    names = {"name": name, "NAME": name.upper(), "sha256": graph.sha256}
    facts = {
        "kernels": TFLM_KERNELS,
        "arena_bytes": arena_bytes,
        "op_count": 1,
        "observed_count": 1,
        "observed_bytes": int(np.prod(graph.tensors[graph.output].shape)),
    }
    return {
        **tflite_array(tflite, name),
        "model_data.h": template("model_data.h").substitute(names, each=""),
        f"{name}_model.h": model_header(
            graph, preprocessing or Preprocessing(), name, classes, facts
        ),
        f"{name}_model.c": template("tflm_model.c").substitute(names, arena_bytes=arena_bytes),
        "tflm_operators.h": template("tflm_operators.h").substitute(
            names,
            count=len(kinds),
            operators="\n".join(f"        resolver->{name}()," for name in resolvers.values()),
        ),
    }
