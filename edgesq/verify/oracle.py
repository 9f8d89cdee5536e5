"""Who says what a board should compute."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.reference import run_observed

Int8Array = NDArray[np.int8]


@dataclass(frozen=True)
class Oracle:
    """Computes expected values.

    Attributes:
        name: for the report.
        observed: int8 [n, H, W, C] to int8 [n, K] per observed tensor, the output first.
    """

    name: str
    observed: Callable[[Int8Array], tuple[Int8Array, ...]]


def default_oracle(content: bytes) -> Oracle:
    """Return TFLite's reference kernels for a model, or their numpy twin where LiteRT is missing.

    Raises:
        ModelError: the model cannot be read.
    """
    if find_spec("ai_edge_litert") is not None:
        return Oracle("TFLite BUILTIN_REF", ReferenceInterpreter(content).observed)
    graph = read_graph(content)
    return Oracle("numpy reference", lambda inputs: run_observed(graph, inputs))
