"""Who says what a board should compute: the oracle that decides, and those shown beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.builds import TFLITE, read_model
from edgesq.errors import ModelError
from edgesq.extras import LITERT, is_installed, require
from edgesq.files import read_bytes
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph, Int8Array, Tensor
from edgesq.reference import SequenceRun
from edgesq.verify.facts import FLOAT_FORM
from edgesq.verify.tally import Expected
from edgesq.verify.workers import Expect

_USUAL_STEPS = 16

_INTEGER_ONNX, _FLOAT_ONNX = "model_int8.onnx", "model_float.onnx"


@dataclass(frozen=True)
class Oracle:
    """Computes expected values.

    Attributes:
        name: for the report.
        observed: int8 [n, H, W, C] to int8 [n, K] per observed tensor, the output first.
    """

    name: str
    observed: Callable[[Int8Array], tuple[Int8Array, ...]]

    def first(self, count: int) -> "Oracle":
        """Return the oracle of the first `count` tensors, for a board that gives no more."""
        return Oracle(self.name, lambda inputs: self.observed(inputs)[:count])


@dataclass(frozen=True)
class Peer:
    """Another form of the model, compared but not decisive.

    Attributes:
        name: for the report.
        run: int8 [1, H, W, C] to the first observed tensors, [1, K] each: int8 as the board gives
            them, or float32 in reals. None where there is none to run.
        note: what to know; why it cannot run.
    """

    name: str
    run: Callable[[Int8Array], tuple[NDArray[Any], ...]] | None
    note: str


def default_oracle(content: bytes, steps: int = 1) -> Oracle:
    """Return TFLite's reference kernels for a model, or their numpy twin where LiteRT is missing.

    Args:
        content: the .tflite.
        steps: images of a sequence, where the model keeps state; they are to be asked for in order.

    Raises:
        ModelError: the model cannot be read.
    """
    if not is_installed(LITERT):
        return Oracle("numpy reference", SequenceRun(read_graph(content), steps).observed)
    interpreter, done = ReferenceInterpreter(content), 0

    def observed(inputs: Int8Array) -> tuple[Int8Array, ...]:
        nonlocal done
        first, done = done, done + len(inputs)
        return interpreter.observed(inputs, steps, first)

    return Oracle("TFLite BUILTIN_REF", observed)


def usual_steps(graph: Graph) -> int:
    """Return how many images make a sequence where nobody says: 1 without state.

    A model that takes several steps of time in each image has its sequence in the image.
    """
    if not graph.stateful:
        return 1
    has_window = any(graph.tensors[op.inputs[0]].hwc[1] > 1 for op in graph.stateful)
    return 1 if has_window else _USUAL_STEPS


def expecting(oracle: Oracle, others: Sequence[Peer]) -> Expect:
    """Return what computes, of one image, what every form of the model makes of it."""
    runs = [oracle.observed, *(peer.run for peer in others if peer.run)]

    def expect(image: Int8Array) -> list[Expected]:
        batch = image[None]
        return [tuple(values.reshape(-1) for values in run(batch)) for run in runs]

    return expect


def expecting_of(build: Path, sha256: str, tensors: int) -> Expect:
    """Return the same for a build, in a process that has nothing of it yet.

    Args:
        build: the BUILD folder.
        sha256: of the .tflite that must be in it.
        tensors: that the board gives.

    Raises:
        ModelError: it cannot be read, or is another one.
    """
    content = read_model(build)
    graph = read_graph(content, str(build / TFLITE))
    if graph.sha256 != sha256:
        raise ModelError(
            "is another model than at the start", where=str(build / TFLITE), hint="verify again"
        )
    return expecting(default_oracle(content).first(tensors), peers(build, graph))


def peers(build: Path, graph: Graph) -> tuple[Peer, ...]:
    """Return the ONNX models of a build folder: integer operators, and the float model.

    The float model gets the board's quantized input, dequantized; model_float.onnx is what Keras
    computes, up to the rounding of floats.
    """

    def dequantized(image: Int8Array, tensor: Tensor) -> NDArray[np.float32]:
        steps = image.astype(np.float32) - np.float32(tensor.zero_point)
        return steps * np.float32(tensor.scale)

    integer = _peer(
        "ONNX, integer operators",
        build / _INTEGER_ONNX,
        "in ONNX Runtime",
        f"the build holds no {_INTEGER_ONNX}",
        lambda image, _: image,
        graph,
    )
    real = _peer(
        FLOAT_FORM,
        build / _FLOAT_ONNX,
        f"{_FLOAT_ONNX}: float Keras, up to the rounding of floats",
        f"the build holds no {_FLOAT_ONNX}: it was exported from a .tflite",
        dequantized,
        graph,
    )
    return integer, real


def _peer(
    name: str,
    path: Path,
    note: str,
    absence: str,
    prepare: Callable[[Int8Array, Tensor], NDArray[Any]],
    graph: Graph,
) -> Peer:
    if not path.is_file():
        return Peer(name, None, absence)
    sizes = [int(np.prod(graph.tensors[index].shape)) for index in graph.observed]
    try:
        session = _session(path)
        sources = session.get_inputs()
    # ONNX Runtime raises kinds of its own, which have no common parent but this.
    except Exception as error:
        return Peer(name, None, f"cannot be run: {' '.join(str(error).split())[:160]}")

    def run(image: Int8Array) -> tuple[NDArray[Any], ...]:
        try:
            given = {
                source.name: prepare(part, graph.tensors[index]).reshape(source.shape)
                for source, part, index in zip(
                    sources, graph.columns(image), graph.inputs, strict=True
                )
            }
            found = zip(session.run(None, given), sizes, strict=False)
            values = tuple(np.reshape(value, (1, size)) for value, size in found)
            if not values:
                raise ValueError("nothing")
        except Exception as error:
            said = " ".join(str(error).split())[:160]
            raise ModelError(
                f"does not compute what the build's model does: {said}",
                where=str(path),
                hint="export again",
            ) from error
        return values

    return Peer(name, run, note)


def _session(path: Path) -> Any:
    require("onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        read_bytes(path), options, providers=["CPUExecutionProvider"]
    )
