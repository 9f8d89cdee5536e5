"""Read the operators of a .tflite that keep state in variable tensors."""

import math
from typing import Any

import numpy as np

from edgesq.formats.tflite.check import INT8_SPAN, SCALES, SUM_LIMIT
from edgesq.formats.tflite.readable import Fits, Ranges, Readable, Readables, Shape
from edgesq.formats.tflite.reader import INT8, INT16, Reader
from edgesq.graph import Graph, Quantization, Tensor
from edgesq.limits import MAX_UINT16
from edgesq.operators import Gate, Lstm, Op, State, Svdf
from edgesq.sequences import INT16_MAX, gate_numbers, lstm_output, svdf_rescales

RELU = 1
"""schema.fbs, enum ActivationFunctionType."""

_STATE_BYTES = {INT8: 1, INT16: 2}


def read_svdf(reader: Reader, operator: Any) -> Op:
    """Read an SVDF.

    Raises:
        ModelError: it is damaged, lacks RELU, or its state is no variable of int16.
    """
    name, output = reader.parts(operator)
    source, features, times, bias, kept = operator.inputs
    if operator.builtinOptions.fusedActivationFunction != RELU:
        raise reader.error(
            f"{name}: SVDF without RELU",
            "TensorFlow Lite computes it with RELU alone: the zero point of the output cuts it",
        )
    state = read_state(reader, name, kept, INT16)
    rank = int(operator.builtinOptions.rank)
    indices = (
        read_constant(reader, name, features, np.int8, 2),
        read_constant(reader, name, times, np.int16, 2),
    )
    filters, depth = reader.tensors[indices[0]].shape
    memory = reader.tensors[indices[1]].shape[1]
    fits = 0 < rank <= MAX_UINT16 and memory <= MAX_UINT16 and filters % rank == 0
    fits = fits and reader.tensors[indices[1]].shape[0] == filters
    values = math.prod(reader.shape(source))
    if not fits or depth != values or state.count != filters * memory:
        raise reader.error(
            f"{name}: {filters} features of rank {rank}, {memory} times and a state of "
            f"{state.count} values do not fit {values} inputs"
        )
    offsets = _bias(reader, name, bias, filters // rank)
    return Svdf(name, (reader.tensor(source),), output, *indices, offsets, rank, state)


_GATES = ((1, 5, 12), (2, 6, 13), (3, 7, 14), (4, 8, 15))
"""Of an LSTM's inputs: weights, recurrent weights and bias of its input, forget, cell and output
gate."""
_OUTPUT_STATE, _CELL_STATE, _LSTM_INPUTS = 18, 19, (20, 24)
_PRODUCT = 4
"""Of its intermediates: what it puts out before it is projected."""
TANH = 4


def read_lstm(reader: Reader, operator: Any) -> Op:
    """Read a UNIDIRECTIONAL_SEQUENCE_LSTM.

    Raises:
        ModelError: it is damaged, its states are no variables of int16 and int8, or it has
            peepholes, a projection, normalization, coupled gates, or time as its first axis.
    """
    name, output = reader.parts(operator)
    options, inputs = operator.builtinOptions, operator.inputs
    needed = {0, _OUTPUT_STATE, _CELL_STATE, *(place for gate in _GATES for place in gate)}
    given = {place for place, index in enumerate(inputs) if index >= 0}
    if given != needed:
        raise reader.error(
            f"{name}: a LSTM with peepholes, a projection, normalization or coupled gates",
            "use Keras' LSTM layer as it is",
        )
    shape = reader.shape(inputs[0])
    if len(shape) != 3 or (options.timeMajor and shape[1] != 1):
        raise reader.error(
            f"{name}: a LSTM over {list(shape)}", "convert it with batch 1, not time first"
        )
    if options.fusedActivationFunction != TANH or options.projClip > 0 or not options.cellClip >= 0:
        raise reader.error(f"{name}: a LSTM with another function than tanh, or clipped otherwise")
    cell = read_state(reader, name, inputs[_CELL_STATE], INT16)
    hidden = read_state(reader, name, inputs[_OUTPUT_STATE], INT8)
    gates = tuple(_gate(reader, name, inputs, places, shape[2]) for places in _GATES)
    units = {reader.tensors[gate.weights].shape[0] for gate in gates}
    if units != {cell.count} or cell.count != hidden.count:
        raise reader.error(f"{name}: gates of {sorted(units)} units, states of {cell.count}")
    clip = np.float32(options.cellClip) / np.float32(cell.scale)
    return Lstm(
        name,
        (reader.tensor(inputs[0]),),
        output,
        (gates[0], gates[1], gates[2], gates[3]),
        cell,
        hidden,
        _product(reader, name, operator),
        int(min(clip, np.float32(INT16_MAX))),
    )


def _gate(
    reader: Reader, name: str, inputs: list[int], places: tuple[int, int, int], values: int
) -> Gate:
    weights, recurrent = (
        read_constant(reader, name, inputs[place], np.int8, 2) for place in places[:2]
    )
    bias = read_constant(reader, name, inputs[places[2]], np.int32, 1)
    units = reader.tensors[weights].shape[0]
    found = [reader.tensors[index].shape for index in (weights, recurrent, bias)]
    if found != [(units, values), (units, units), (units,)]:
        raise reader.error(f"{name}: gates of {found} do not fit {values} inputs")
    return Gate(weights, recurrent, bias)


def _product(reader: Reader, name: str, operator: Any) -> tuple[float, int]:
    """Return scale and zero point of what is put out before a projection."""
    if len(operator.intermediates) <= _PRODUCT or operator.intermediates[_PRODUCT] < 0:
        raise reader.error(
            f"{name}: a LSTM without intermediate tensors", "convert it again, quantized to int8"
        )
    scale, point = _quantization(reader, operator.intermediates[_PRODUCT])
    if not -128 <= point <= 127:
        raise reader.error(f"{name}: its outputs have the zero point {point}")
    return scale, point


def read_state(reader: Reader, name: str, index: int, kind: int) -> State:
    """Return what a variable tensor says of a state.

    Args:
        reader: the file.
        name: of the operator.
        index: the file's number of the tensor; -1 where there is none.
        kind: type that it must have in the schema, INT16 or INT8.

    Raises:
        ModelError: it is no variable tensor of this type.
    """
    width = _STATE_BYTES[kind]
    tensor = reader.source.tensors[index]
    if index < 0 or not tensor.isVariable or tensor.type != kind or reader.data(index) is not None:
        raise reader.error(
            f"{name}: its state is no variable tensor of int{8 * width}",
            "convert it by TensorFlow Lite with a representative data set, to int8",
        )
    scale, point = _quantization(reader, index)
    if (width == 2 and point != 0) or not -128 <= point <= 127:
        raise reader.error(f"{name}: its state has the zero point {point}")
    return State(reader.name(index), math.prod(reader.shape(index)), width, scale, point)


def read_constant(reader: Reader, name: str, index: int, dtype: type[np.generic], rank: int) -> int:
    """Return the graph's number of symmetric constants.

    Raises:
        ModelError: they are none of this type and number of axes.
    """
    if index in reader.index:
        return reader.index[index]
    data = reader.data(index) if index >= 0 else None
    if data is None or data.dtype != dtype or data.ndim != rank:
        raise reader.error(
            f"{name}: {reader.name(index)} must be {np.dtype(dtype)} constants of {rank} axes"
        )
    scale, point = _quantization(reader, index)
    if point != 0:
        raise reader.error(f"{name}: {reader.name(index)} has the zero point {point}")
    return reader.append(
        index, Tensor(reader.name(index), data.shape, Quantization((scale,), 0), data)
    )


def _quantization(reader: Reader, index: int) -> tuple[float, int]:
    """Return the only scale of one of the file's tensors, and its zero point."""
    known = reader.source.tensors[index].quantization
    scales = [] if known is None or known.scale is None else [float(one) for one in known.scale]
    if len(scales) != 1 or not SCALES[0] <= scales[0] <= SCALES[1]:
        raise reader.error(f"{reader.name(index)}: the scale is not one usable number")
    points = [] if known.zeroPoint is None else [int(one) for one in known.zeroPoint]
    return scales[0], points[0] if points else 0


def _bias(reader: Reader, name: str, index: int, count: int) -> int:
    """Return the bias, zeros where there is none."""
    if index >= 0:
        return read_constant(reader, name, index, np.int32, 1)
    zeros = np.zeros(count, np.int32)
    return reader.append(-1, Tensor(f"{name}/bias", zeros.shape, Quantization((1.0,), 0), zeros))


def _svdf_shape(reader: Reader, operator: Any) -> Shape:
    filters, _ = reader.shape(operator.inputs[1])
    return reader.shape(operator.inputs[0])[0], filters // operator.builtinOptions.rank


def _svdf_fits(graph: Graph, op: Svdf) -> bool:
    one_pixel = all(graph.tensors[at].hwc[:2] == (1, 1) for at in (op.inputs[0], op.output))
    units = graph.tensors[op.output].hwc[2]
    return one_pixel and graph.tensors[op.bias].shape == (units,)


def _svdf_problem(graph: Graph, op: Svdf) -> str | None:
    of_input, of_kept = svdf_rescales(graph, op)
    largest = np.abs(graph.constant(op.features).astype(np.int64)).sum(axis=1).max() * INT8_SPAN
    if math.ldexp(float(largest), max(of_input.shift, 0)) >= SUM_LIMIT:
        return "sums can overflow 32 bits"
    return "the output's scale is too fine" if of_kept.shift > 0 else None


def _lstm_shape(reader: Reader, operator: Any) -> Shape:
    units, _ = reader.shape(operator.inputs[1])
    return (*reader.shape(operator.inputs[0])[:2], units)


def _lstm_fits(graph: Graph, op: Lstm) -> bool:
    (_, steps, _), result = (graph.tensors[at].hwc for at in (op.inputs[0], op.output))
    return result == (1, steps, op.cell.count)


def _lstm_problem(graph: Graph, op: Lstm) -> str | None:
    if op.cell.scale not in (2.0**-power for power in range(9, 16)):
        return f"a cell in steps of {op.cell.scale} is no power of two from 2^-9 to 2^-15"
    for gate in op.gates:
        numbers = gate_numbers(graph, op, gate)
        for index, bias, by in (
            (gate.weights, numbers.input_bias, numbers.of_input),
            (gate.recurrent, numbers.recurrent_bias, numbers.of_recurrent),
        ):
            taps = np.abs(graph.constant(index).astype(np.int64)).sum(axis=1) * INT8_SPAN
            largest = float((taps + np.abs(bias)).max())
            if math.ldexp(largest, max(by.shift, 0)) >= SUM_LIMIT / 2:  # two are added
                return "sums can overflow 32 bits"
    return "the output's scale is too fine" if lstm_output(op).shift > 0 else None


READABLES: Readables = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Readable(
        read_lstm,
        _lstm_shape,
        _LSTM_INPUTS,
        "UnidirectionalSequenceLSTMOptionsT",
        version=1,
    ),
    "SVDF": Readable(read_svdf, _svdf_shape, (5,), "SVDFOptionsT", version=3),
}
FITS: Fits = {Lstm: _lstm_fits, Svdf: _svdf_fits}
RANGES: Ranges = {Lstm: _lstm_problem, Svdf: _svdf_problem}
