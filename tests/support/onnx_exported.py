"""What exporters write in many operators, or in other ones from version to version."""

from collections.abc import Callable

import onnx
from onnx import TensorProto, helper

from support.onnx_models import OnnxNetwork

EXPORTED: dict[str, Callable[[], onnx.ModelProto]] = {}


def case(build: Callable[[], onnx.ModelProto]) -> Callable[[], onnx.ModelProto]:
    EXPORTED[build.__name__] = build
    return build


@case
def hard_swish_in_pieces() -> onnx.ModelProto:
    """As MobileNetV3 was exported before opset 14, in its two ways."""
    net = OnnxNetwork((3, 5, 6))
    step = net.conv(net.input, 4)
    step = net.node("Mul", step, net.node("HardSigmoid", step, alpha=1 / 6, beta=0.5))
    step = net.conv(step, 4)
    clipped = net.relu6(net.node("Add", step, net.floats(3)))
    return net.model(net.node("Div", net.node("Mul", step, clipped), net.floats(6)))


@case
def flattened_by_computed_sizes() -> onnx.ModelProto:
    """As PyTorch writes x.view(x.size(0), -1)."""
    net = OnnxNetwork((3, 5, 6))
    step = net.conv(net.input, 4)
    batch = net.node("Gather", net.node("Shape", step), net.ints(0), axis=0)
    batch = net.node("Unsqueeze", batch, net.ints([0]))
    size = net.node("Concat", batch, net.ints([-1]), axis=0)
    return net.model(net.dense(net.node("Reshape", step, size), 120, 5), batch="batch")


@case
def mean_by_opset_18() -> onnx.ModelProto:
    """As PyTorch's newer exporter writes it: axes, pads and shapes are inputs."""
    net = OnnxNetwork((3, 5, 6), opset=18)
    pads, axes = net.ints([1, 1, 0, 1]), net.ints([2, 3])
    step = net.conv(net.node("Pad", net.input, pads, "", axes, channels=3), 4)
    step = net.node("ReduceMean", step, axes, keepdims=1)
    step = net.node("Reshape", step, net.ints([1, 4]), allowzero=1)
    return net.model(net.dense(step, 4, 3), batch="batch")


@case
def pixels_repeated_by_tiles() -> onnx.ModelProto:
    """As tf2onnx writes Keras' UpSampling2D: rows, then columns."""
    net = OnnxNetwork((3, 4, 5))
    step = net.node("Transpose", net.conv(net.input, 2), perm=[0, 2, 3, 1])
    for axis, sizes in ((2, [1, 8, 5, 2]), (3, [1, 8, 15, 2])):
        repeats = [1] * 5
        repeats[axis] = sizes[axis - 1] // (4, 5)[axis - 2]
        step = net.node("Unsqueeze", step, net.ints([axis]))
        step = net.node("Reshape", net.node("Tile", step, net.ints(repeats)), net.ints(sizes))
    step = net.node("Transpose", step, perm=[0, 3, 1, 2], channels=2)
    return net.model(net.conv(step, 3, 3))


@case
def without_channels() -> onnx.ModelProto:
    """An image [N, H, W]."""
    net = OnnxNetwork((8, 9))
    step = net.node("Unsqueeze", net.input, net.ints([1]), channels=1)
    step = net.node("Flatten", net.relu(net.conv(step, 3, 3)), channels=126)
    return net.model(net.dense(step, 126, 5), batch="batch")


@case
def sizes_computed_from_shapes() -> onnx.ModelProto:
    """As PyTorch writes F.interpolate(x, size=y.shape[2:]): Shape, Slice, Cast, Concat."""
    net = OnnxNetwork((3, 4, 6))
    step = net.conv(net.input, 4)
    small = net.max_pool(step, 2)
    ends = [
        net.node("Slice", net.node("Shape", of), net.ints([at]), net.ints([at + 2]))
        for of, at in ((small, 0), (step, 2))
    ]
    sizes = net.node("Concat", *ends, axis=0)
    sizes = net.node("Cast", sizes, to=TensorProto.INT64)
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    large = net.node("Resize", small, "", "", sizes, mode="nearest", channels=4, **how)
    return net.model(net.node("Add", large, step))


@case
def constants_as_nodes() -> onnx.ModelProto:
    net = OnnxNetwork((3, 5, 6))
    step = net.node("Dropout", net.conv(net.input, 4))
    value = helper.make_tensor("value", TensorProto.FLOAT, [1], [2.0])
    net.nodes.append(helper.make_node("Constant", [], ["two"], value=value))
    return net.model(net.node("Mul", step, "two"))
