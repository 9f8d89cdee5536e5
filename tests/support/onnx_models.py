"""Networks as ONNX: NCHW, hand-made as an exporter writes them, float and quantized."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Float32Array = NDArray[np.float32]


class OnnxNetwork:
    """An NCHW network in the making; values are names."""

    def __init__(self, shape: Sequence[int], seed: int = 0, opset: int = 17) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self.shape, self.opset = list(shape), opset
        self.input = "image"
        self.channels = {"image": shape[0]}
        self.others: dict[str, list[int]] = {}

    def constant(self, values: Any, label: str = "constant") -> str:
        name = f"{label}_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def ints(self, values: Any) -> str:
        return self.constant(np.array(values, np.int64))

    def floats(self, values: Any) -> str:
        return self.constant(np.array(values, np.float32))

    def node(self, kind: str, *inputs: str, channels: int | None = None, **how: Any) -> str:
        """Add a node; `channels` where they are not those of its first input."""
        name = f"/{kind.lower()}{len(self.nodes)}/{kind}"
        output = f"{name}_output_0"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=name, **how))
        self.channels[output] = channels or self.channels.get(inputs[0], 0)
        return output

    def conv(
        self,
        source: str,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        pad: int = 0,
        group: int = 1,
        bias: bool = True,
        **how: Any,
    ) -> str:
        depth = self.channels[source] // group
        shape = (outputs, depth, kernel, kernel)
        spread = np.sqrt(2 / (depth * kernel * kernel))
        weights = self.random.normal(0, spread, shape).astype(np.float32)
        inputs = [source, self.constant(weights, "weight")]
        if bias:
            inputs.append(
                self.constant(self.random.normal(0, 0.1, outputs).astype(np.float32), "bias")
            )
        if "auto_pad" not in how:
            how["pads"] = [pad] * 4
        return self.node(
            "Conv",
            *inputs,
            channels=outputs,
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            group=group,
            **how,
        )

    def relu(self, source: str) -> str:
        return self.node("Relu", source)

    def relu6(self, source: str) -> str:
        low, high = (self.constant(np.float32(bound), "bound") for bound in (0, 6))
        return self.node("Clip", source, low, high)

    def norm(self, source: str) -> str:
        count = self.channels[source]
        gamma, variance = (
            self.random.uniform(0.5, 1.5, count).astype(np.float32) for _ in range(2)
        )
        beta, mean = (self.random.normal(0, 0.2, count).astype(np.float32) for _ in range(2))
        sides = [self.constant(side, "norm") for side in (gamma, beta, mean, variance)]
        return self.node("BatchNormalization", source, *sides)

    def max_pool(self, source: str, size: int = 3, stride: int = 2, **how: Any) -> str:
        return self.node("MaxPool", source, kernel_shape=[size] * 2, strides=[stride] * 2, **how)

    def concat(self, *sources: str) -> str:
        channels = sum(self.channels[source] for source in sources)
        return self.node("Concat", *sources, channels=channels, axis=1)

    def dense(self, source: str, inputs: int, outputs: int) -> str:
        weights = self.random.normal(0, np.sqrt(1 / inputs), (outputs, inputs))
        bias = self.random.normal(0, 0.1, outputs)
        sides = [self.constant(side.astype(np.float32), "dense") for side in (weights, bias)]
        return self.node("Gemm", source, *sides, channels=outputs, transB=1)

    def fire(self, source: str, squeeze: int, expand: int) -> str:
        squeezed = self.relu(self.conv(source, squeeze))
        sides = (self.conv(squeezed, expand), self.conv(squeezed, expand, 3, pad=1))
        return self.concat(*map(self.relu, sides))

    def beside(self, name: str, shape: Sequence[int]) -> str:
        """Add another input."""
        self.others[name], self.channels[name] = list(shape), shape[0]
        return name

    def model(self, *outputs: str, batch: Any = 1) -> onnx.ModelProto:
        """Return the model up to `outputs`; a text for `batch` leaves it open."""
        sources = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, *shape])
            for name, shape in {self.input: self.shape, **self.others}.items()
        ]
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "net", sources, ends, self.constants)
        opsets = [helper.make_opsetid("", self.opset)]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        model = onnx.shape_inference.infer_shapes(made)
        onnx.checker.check_model(model)
        return model


def squeezenet(size: int = 48, classes: int = 10, opset: int = 12) -> onnx.ModelProto:
    """SqueezeNet v1.0 as onnx/models has it: ceil pools, Dropout, global average, Softmax."""
    net = OnnxNetwork((3, size, size), 1, opset)
    step = net.relu(net.conv(net.input, 24, 7, 2))
    step = net.max_pool(step, ceil_mode=1)
    for squeeze, expand in ((8, 16), (8, 16), (12, 24)):
        step = net.fire(step, squeeze, expand)
    step = net.max_pool(step, ceil_mode=1)
    for squeeze, expand in ((12, 24), (16, 32)):
        step = net.fire(step, squeeze, expand)
    step = net.node("Dropout", step)
    step = net.relu(net.conv(step, classes))
    step = net.node("GlobalAveragePool", step)
    return net.model(net.node("Softmax", step, axis=1))


def mobilenet_v2(size: int = 32, classes: int = 10) -> onnx.ModelProto:
    """As torchvision's: inverted residuals with BatchNormalization, ReLU6, ReduceMean, Gemm."""
    net = OnnxNetwork((3, size, size), 2)
    step = net.relu6(net.norm(net.conv(net.input, 8, 3, 2, 1, bias=False)))
    for outputs, stride in ((8, 1), (12, 2), (12, 1)):
        inputs = net.channels[step]
        inner = net.relu6(net.norm(net.conv(step, inputs * 3, bias=False)))
        inner = net.conv(inner, inputs * 3, 3, stride, 1, inputs * 3, bias=False)
        inner = net.relu6(net.norm(inner))
        inner = net.norm(net.conv(inner, outputs, bias=False))
        step = net.node("Add", step, inner) if (inputs, stride) == (outputs, 1) else inner
    step = net.relu6(net.norm(net.conv(step, 32, bias=False)))
    step = net.node("ReduceMean", step, axes=[2, 3], keepdims=0)
    return net.model(net.dense(step, 32, classes), batch="batch")


def resnet_8(size: int = 32, classes: int = 10) -> onnx.ModelProto:
    """Residual blocks with projections, padded max pool, average, Flatten, Gemm, Softmax."""
    net = OnnxNetwork((3, size, size), 3)
    step = net.relu(net.norm(net.conv(net.input, 8, 3, pad=1, bias=False)))
    step = net.max_pool(step, pads=[1, 1, 1, 1])
    for outputs, stride in ((8, 1), (16, 2), (24, 2)):
        inner = net.relu(net.norm(net.conv(step, outputs, 3, stride, 1, bias=False)))
        inner = net.norm(net.conv(inner, outputs, 3, pad=1, bias=False))
        if stride > 1:
            step = net.norm(net.conv(step, outputs, 1, stride, bias=False))
        step = net.relu(net.node("Add", inner, step))
    step = net.node("GlobalAveragePool", step)
    step = net.dense(net.node("Flatten", step), 24, classes)
    return net.model(net.node("Softmax", step, axis=-1))


def lenet(size: int = 20, classes: int = 10) -> onnx.ModelProto:
    """A dense layer after a Flatten of a map with rows, columns and channels."""
    net = OnnxNetwork((1, size, size), 4)
    step = net.max_pool(net.relu(net.conv(net.input, 6, 5)), 2, 2)
    step = net.max_pool(net.relu(net.conv(step, 8, 3)), 2, 2)
    rows = ((size - 4) // 2 - 2) // 2
    step = net.node("Flatten", step, axis=1)
    step = net.relu(net.dense(step, 8 * rows * rows, 24))
    return net.model(net.dense(step, 24, classes))


def noise(model: onnx.ModelProto, count: int, seed: int = 5) -> Float32Array:
    """Return random images of a model with one input, [count, 1, C, H, W]."""
    (images,) = noises(model, count, seed).values()
    return images


def noises(model: onnx.ModelProto, count: int, seed: int = 5) -> dict[str, Float32Array]:
    """Return random images of each input, [count, 1, ...]."""
    random, found = np.random.default_rng(seed), {}
    for source in model.graph.input:
        shape = [1, *(dim.dim_value for dim in source.type.tensor_type.shape.dim[1:])]
        found[source.name] = random.uniform(-1, 1, (count, *shape)).astype(np.float32)
    return found


def quantized(
    model: onnx.ModelProto, qdq: bool = True, signed: bool = False, **how: Any
) -> onnx.ModelProto:
    """Return what onnxruntime.quantization makes of a float model with 8 images of noise."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc] # it has no types
        def __init__(self) -> None:
            images = noises(model, 8)
            rows = zip(*images.values(), strict=True)
            self.images = (dict(zip(images, row, strict=True)) for row in rows)

        def get_next(self) -> dict[str, Any] | None:
            return next(self.images, None)

    options: dict[str, Any] = {
        "activation_type": QuantType.QInt8 if signed else QuantType.QUInt8,
        "weight_type": QuantType.QInt8,
        **how,
    }
    with tempfile.TemporaryDirectory() as name:
        source, ready, result = (Path(name) / file for file in ("s.onnx", "r.onnx", "q.onnx"))
        onnx.save(model, source)
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        form = QuantFormat.QDQ if qdq else QuantFormat.QOperator
        quantize_static(str(ready), str(result), Reader(), quant_format=form, **options)
        return onnx.load(result)
