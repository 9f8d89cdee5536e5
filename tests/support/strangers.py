"""int8 .tflite as people who know nothing of edgesq make them, rebuilt without TensorFlow."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from support.networks import RECTIFIED, USUAL, Network
from support.tflite_builder import TfliteBuilder

Edit = Callable[[Any], None]

STRANGERS: dict[str, Callable[[], bytes]] = {}
"""By name: files that are taken, whose values equal BUILTIN_REF's."""


def stranger(build: Callable[[], bytes]) -> Callable[[], bytes]:
    STRANGERS[build.__name__] = build
    return build


def repacked(content: bytes, edit: Edit) -> bytes:
    """Return a file after `edit` of its unpacked flatbuffer."""
    import flatbuffers

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    edit(model)
    writer = flatbuffers.Builder(1024)
    writer.Finish(model.Pack(writer), b"TFL3")
    return bytes(writer.Output())


def numbers(builder: TfliteBuilder, shape: Sequence[int]) -> int:
    """Add an int32 value that is computed."""
    return builder.value(shape, dtype=np.int32)


def _sum(net: Network) -> int:
    """Add the shape of the image and return its first number, as a scalar."""
    builder = net.builder
    shape = builder.op("SHAPE", [net.input], numbers(builder, [4]), "ShapeOptions", outType=2)
    ends = [builder.constant(np.array([bound], np.int32)) for bound in (0, 1, 1)]
    first = numbers(builder, [])
    options = {"shrinkAxisMask": 1, "beginMask": 0, "endMask": 0}
    return builder.op("STRIDED_SLICE", [shape, *ends], first, "StridedSliceOptions", **options)


def _flattened(net: Network, batch_and_rest: Callable[[TfliteBuilder, int], int]) -> bytes:
    """Flatten the image to a shape that is computed from the batch; then a dense layer."""
    builder, values = net.builder, int(np.prod(net.shapes[net.input]))
    target = batch_and_rest(builder, _sum(net))
    row = net.value((values,), net.quants[net.input])
    builder.op("RESHAPE", [net.input, target], row, "ReshapeOptions")
    return net.build(net.softmax(net.dense(row, 3)))


@stranger
def flatten_of_any_batch() -> bytes:
    """What Keras 3's Flatten becomes: SHAPE, STRIDED_SLICE, PACK with -1, RESHAPE."""

    def target(builder: TfliteBuilder, batch: int) -> int:
        rest = builder.constant(np.array(-1, np.int32))
        made = numbers(builder, [2])
        return builder.op("PACK", [batch, rest], made, "PackOptions", axis=0, valuesCount=2)

    return _flattened(Network((3, 4, 2)), target)


@stranger
def flatten_by_other_arithmetic() -> bytes:
    """The same by GATHER, REDUCE_PROD, CAST, MUL, EXPAND_DIMS and CONCATENATION."""

    def target(builder: TfliteBuilder, batch: int) -> int:
        every = builder.constant(np.array([9, 3, 4, 2], np.int32))
        places = builder.constant(np.array([1, 2, 3], np.int32))
        rest = builder.op("GATHER", [every, places], numbers(builder, [3]), "GatherOptions", axis=0)
        axis = builder.constant(np.array([0], np.int32))
        product = numbers(builder, [1])
        builder.op("REDUCE_PROD", [rest, axis], product, "ReducerOptions", keepDims=True)
        wide = numbers(builder, [1])
        builder.op("MUL", [product, batch], wide, "MulOptions")
        first = numbers(builder, [1])
        zero = builder.constant(np.array(0, np.int32))
        builder.op("EXPAND_DIMS", [batch, zero], first, "ExpandDimsOptions")
        made = numbers(builder, [2])
        return builder.op("CONCATENATION", [first, wide], made, "ConcatenationOptions", axis=0)

    return _flattened(Network((3, 4, 2)), target)


@stranger
def vector_input() -> bytes:
    """TensorFlow Lite Micro's hello_world: [1, 1] to [1, 1]."""
    net = Network((1,))
    return net.build(net.dense(net.dense(net.input, 16, 1, RECTIFIED), 1))


@stranger
def autoencoder() -> bytes:
    """MLPerf Tiny's ad01, small."""
    net = Network((24,))
    return net.build(net.dense(net.dense(net.input, 4, 1, RECTIFIED), 24))


@stranger
def spectrogram_as_a_row() -> bytes:
    """TensorFlow Lite Micro's micro_speech: [1, H * W] is reshaped to a map first."""
    net = Network((42,))
    image = net.reshape(net.input, (7, 6, 1))
    return net.build(net.softmax(net.dense(net.depthwise(image, (3, 3), (2, 2), each=4), 3)))


@stranger
def image_without_channel() -> bytes:
    """Keras' Input((28, 28)): [1, H, W] that gets its channel by a RESHAPE."""
    net = Network((6, 5))
    image = net.reshape(net.input, (6, 5, 1))
    return net.build(net.mean(net.conv(image, 4, (3, 3), activation=1, quant=RECTIFIED)))


@stranger
def series() -> bytes:
    """Conv1D over [1, W, C], by RESHAPE and CONV_2D."""
    net = Network((12, 3))
    step = net.conv(net.reshape(net.input, (1, 12, 3)), 5, (1, 3), activation=1, quant=RECTIFIED)
    return net.build(net.dense(net.global_max(net.reshape(step, (12, 5))), 2))


def _vector() -> bytes:
    net = Network((4, 5, 3))
    return net.build(net.mean(net.conv(net.input, 4, (3, 3))))


@stranger
def open_batch() -> bytes:
    """The batch is -1 in every shape, where others write 1 and -1 beside it."""

    def edit(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            if tensor.buffer == 0:
                tensor.shape = [-1, *tensor.shape[1:]]

    return repacked(_vector(), edit)


@stranger
def shapes_left_open() -> bytes:
    """Only the input says its shape."""

    def edit(model: Any) -> None:
        graph = model.subgraphs[0]
        for operator in graph.operators:
            graph.tensors[operator.outputs[0]].shape = []

    return repacked(_vector(), edit)


@stranger
def upsampled_with_an_open_batch() -> bytes:
    """UpSampling2D by the usual recipe: all extents after its first RESHAPE are open, and said to
    be 1.
    """
    net = Network((3, 4, 2))
    content = net.build(net.conv(net.upsample(net.conv(net.input, 3), (2, 2)), 2, (3, 3)))

    def edit(model: Any) -> None:
        is_behind = False
        for operator in model.subgraphs[0].operators:
            code = model.operatorCodes[operator.opcodeIndex].builtinCode
            is_behind = is_behind or code == schema.BuiltinOperator.RESHAPE
            tensor = model.subgraphs[0].tensors[operator.outputs[0]]
            tensor.shapeSignature = [-1, *tensor.shape[1:]]
            if is_behind:
                tensor.shapeSignature = [-1] * len(tensor.shape)
                tensor.shape = [1] * len(tensor.shape)

    return repacked(content, edit)


@stranger
def bias_along_axis_3() -> bytes:
    """TensorFlow Lite Micro's person_detect: quantized_dimension 3 of biases, which have one."""

    def edit(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            if tensor.quantization is not None:
                is_many = len(tensor.quantization.scale) > 1 and len(tensor.shape) > 1
                tensor.quantization.quantizedDimension = 0 if is_many else 3

    return repacked(_vector(), edit)


@stranger
def one_zero_point_for_many_scales() -> bytes:
    def edit(model: Any) -> None:
        for number, tensor in enumerate(model.subgraphs[0].tensors):
            if tensor.quantization is not None and len(tensor.quantization.scale) > 1:
                tensor.quantization.zeroPoint = None if number % 2 else np.zeros(1, np.int64)

    return repacked(_vector(), edit)


@stranger
def metadata_and_signatures() -> bytes:
    def edit(model: Any) -> None:
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.inputs, signature.outputs = b"serve", [], []
        model.signatureDefs = [signature]
        model.metadata = [schema.MetadataT()]
        model.metadata[0].name, model.metadata[0].buffer = b"min_runtime_version", 0
        unused = schema.TensorT()
        unused.name, unused.shape, unused.type = b"unused", [1, 0, 7], schema.TensorType.STRING
        model.subgraphs[0].tensors.append(unused)

    return repacked(_vector(), edit)


def ending_in(kind: str, result: int) -> bytes:
    """Return a classifier whose last operator is `kind`, with an output of a type."""
    net = Network((4, 5, 3), USUAL)
    scores = net.mean(net.conv(net.input, 6))
    if kind == "ARG_MAX":
        axis = net.builder.constant(np.array(1, np.int32))
        end = net.builder.value((1,), dtype=np.int32)
        net.builder.op(kind, [scores, axis], end, "ArgMaxOptions", outputType=result)
    else:
        end = net.value((6,), (16 / 256, 127))
        net.builder.op(kind, [scores], end, "LogSoftmaxOptions")
    return net.build(end)
