"""ONNX networks with several inputs and outputs, as exporters write them."""

from __future__ import annotations

from collections.abc import Callable

import onnx

from support.onnx_models import OnnxNetwork


def detector() -> onnx.ModelProto:
    """Heads at two scales; a map that is read on is an output, and rows of boxes are another."""
    net = OnnxNetwork((3, 16, 12), 21)
    fine = net.relu(net.conv(net.input, 8, 3, 2, 1))
    coarse = net.relu(net.conv(fine, 8, 3, 2, 1))
    boxes = net.node("Transpose", net.conv(coarse, 4), perm=[0, 2, 3, 1])
    rows = net.node("Reshape", boxes, net.ints([1, -1, 4]))
    mean = net.node("Flatten", net.node("GlobalAveragePool", coarse))
    classes = net.node("Softmax", net.dense(mean, 8, 5), axis=1)
    return net.model(fine, classes, net.conv(coarse, 3), rows, batch="n")


def two_images() -> onnx.ModelProto:
    """What differs between two images, and each of them by the same convolution."""
    net = OnnxNetwork((3, 10, 12), 22)
    other = net.beside("other/image", (3, 10, 12))
    joined = net.relu(net.conv(net.concat(net.input, other), 6, 3, 1, 1))
    return net.model(net.conv(joined, 4, 3, 2, 1))


def image_and_measures() -> onnx.ModelProto:
    """A row of numbers beside an image, as exporters of PyTorch number their inputs."""
    net = OnnxNetwork((3, 9, 8), 23)
    measures = net.beside("input.1", (6,))
    pooled = net.node("GlobalAveragePool", net.relu(net.conv(net.input, 8, 3)))
    pixel = net.node("Flatten", pooled)
    joined = net.concat(pixel, net.relu(net.dense(measures, 6, 7)))
    scores = net.dense(joined, 15, 4)
    return net.model(net.node("Softmax", scores, axis=1), net.dense(joined, 15, 2))


def layouts() -> onnx.ModelProto:
    """One image with its channels last, the other with its channels first."""
    net = OnnxNetwork((6, 8, 3), 24)
    first = net.node("Transpose", net.input, perm=[0, 3, 1, 2])
    net.channels[first] = 3
    other = net.beside("other", (4, 6, 8))
    return net.model(net.concat(net.conv(first, 5), net.conv(other, 3, 3, 1, 1)))


NETWORKS: dict[str, Callable[[], onnx.ModelProto]] = {
    "detector": detector,
    "two_images": two_images,
    "image_and_measures": image_and_measures,
    "layouts": layouts,
}
