"""Which layer hurts: the noise that each one's rounding adds, alone and with all before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import channel_scales
from edgesq.calibrate import Judge
from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.tflite import ReferenceInterpreter
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Convolution, Op
from edgesq.repair.judge import distance

Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class LayerNoise:
    """One operator.

    Attributes:
        name: of the operator.
        kind: CONV_2D, ...
        sqnr_db: of its int8 output against the float model's: all noise so far; None where there
            is none, or no signal.
        own_sqnr_db: of its output where it alone is quantized; None where that adds none.
        own_kl: mean KL(float || this) of the model's scores where it alone is quantized.
        clipped: share of the float model's values that its int8 range does not reach.
    """

    name: str
    kind: str
    sqnr_db: float | None
    own_sqnr_db: float | None
    own_kl: float
    clipped: float


def layer_noise(
    graph: Graph,
    content: bytes,
    weights: Mapping[str, FloatWeights],
    floats: Sequence[Float32Array],
    int8: Int8Array,
    judge: Judge,
) -> tuple[LayerNoise, ...]:
    """Measure each operator that rounds, in the order of the model.

    Args:
        graph: the int8 model.
        content: the bytes of its .tflite, which TensorFlow Lite's reference kernels run.
        weights: of the float model, by operator name.
        floats: some images as the float model sees them, float32 [n, H, W, C] by input in the
            order of their numbers.
        int8: the same as the int8 model sees them.
        judge: what the model's scores say of a class.
    """
    ops = [op for op in graph.ops if _rounds(graph, op)]
    outputs = [op.output for op in ops]
    scores = graph.scores
    real = _run(graph, weights, [*outputs, scores], (), floats)
    golden = ReferenceInterpreter(content).tensors(int8, tuple(outputs))
    rows = []
    for position, op in enumerate(ops):
        tensor = graph.tensors[op.output]
        levels = golden[position].astype(np.float32) - np.float32(tensor.zero_point)
        mine = {**weights, **_quantized_weights(graph, op, weights)}
        alone = _run(graph, mine, [op.output, scores], (op.output,), floats)
        low, high = ((end - tensor.zero_point) * tensor.scale for end in (-128.5, 127.5))
        rows.append(
            LayerNoise(
                op.name,
                op.kind,
                sqnr_db(real[position], levels * np.float32(tensor.scale)),
                sqnr_db(real[position], alone[0]),
                distance(judge.scores(real[-1]), judge.scores(alone[1])).kl,
                float(np.mean((real[position] < low) | (real[position] > high))),
            )
        )
    return tuple(rows)


def sqnr_db(signal: Float32Array, shown: Float32Array) -> float | None:
    """Return the power of the signal over that of the difference; None where one is zero."""
    noise = float(np.sum((shown.astype(np.float64) - signal) ** 2))
    power = float(np.sum(signal.astype(np.float64) ** 2))
    return 10 * float(np.log10(power / noise)) if noise and power else None


def _rounds(graph: Graph, op: Op) -> bool:
    """Say whether the output has other levels than the inputs, and is before a last softmax."""
    own = graph.tensors[op.output].quantization
    if op is graph.softmax:
        return False
    moved = any(graph.tensors[index].quantization != own for index in op.inputs)
    return moved or isinstance(op, Convolution)


def _quantized_weights(
    graph: Graph, op: Op, weights: Mapping[str, FloatWeights]
) -> dict[str, FloatWeights]:
    """Return the int8 weights and int32 bias of an operator as reals; nothing where it has none."""
    if not isinstance(op, Convolution):
        return {}
    scale = channel_scales(graph, op)
    kernel, bias = graph.exact_weights(op), graph.constant(op.bias)
    real = (kernel * op.along_weights(scale)).astype(np.float32)
    offset = (bias * scale * graph.tensors[op.inputs[0]].scale).astype(np.float32)
    return {op.name: replace(weights[op.name], kernel=real, bias=offset)}


def _run(
    graph: Graph,
    weights: Mapping[str, FloatWeights],
    wanted: Sequence[int],
    rounded: Sequence[int],
    floats: Sequence[Float32Array],
) -> list[Float32Array]:
    """Return float32 [n, values] for each tensor wanted."""
    from edgesq.formats.onnx.twin import float_twin, twin_activations

    once = sorted(set(wanted))
    twin = float_twin(graph, weights, once, rounded)
    rows = [[value.reshape(-1) for value in made] for made in twin_activations(twin, *floats)]
    columns = dict(zip(once, map(np.stack, zip(*rows, strict=True)), strict=True))
    return [columns[index] for index in wanted]
