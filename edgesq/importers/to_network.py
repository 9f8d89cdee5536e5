"""From ONNX's operators to a network in NHWC: the walk over the net, and what moves no values."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from edgesq.errors import ModelError
from edgesq.importers.lowering import Lowering, UnsupportedError
from edgesq.importers.net import Net, Node
from edgesq.importers.network import Network, Place
from edgesq.importers.operators.lookup import Requantize
from edgesq.importers.operators.softmax import Softmax
from edgesq.importers.operators.table import ONNX
from edgesq.importers.places import Stored, nchw
from edgesq.importers.supported import SHAPES_ONLY, refusal

_LOOKS_THROUGH = frozenset(
    {
        "Add",
        "Clip",
        "DequantizeLinear",
        "Div",
        "Mul",
        "Pad",
        "QuantizeLinear",
        "Relu",
        "Requantize",
        "Sub",
    }
)

_COLOURS = (1, 3)


def lower(net: Net, where: str) -> Network:
    """Return the net's layers in NHWC.

    Where the image's layout is a guess, and wrong, the other one is tried too.

    Args:
        net: float, or int8 after `annotate`.
        where: the file, for messages.

    Raises:
        ModelError: operators cannot be taken; all are named.
    """
    guess = is_channels_last(net)
    try:
        return _lower(net, where, guess)
    except ModelError:
        if len(net.shapes[net.input]) == 4:
            with suppress(ModelError):
                return _lower(net, where, not guess)
        raise


def _lower(net: Net, where: str, channels_last: bool) -> Network:
    lowering = Lowering(net, channels_last)
    problems = []
    for node in net.nodes:
        problem = _lowered(lowering, node)
        if problem:
            problems.append((problem.what, node.name, problem.do))
            lowering.put(node.output, nchw(node.output, net.shapes[node.output]))
    if problems:
        raise refusal(problems, where)
    return _finished(lowering, where)


def _lowered(lowering: Lowering, node: Node) -> UnsupportedError | None:
    """Make the layers of one operator, or say why not."""
    try:
        if node.kind in SHAPES_ONLY or node.kind in ("Expand", "Tile"):
            _move(lowering, node)
        elif node.kind in ONNX:
            ONNX[node.kind].lower(lowering, node)
        else:
            return UnsupportedError(f"{node.kind} of an activation")
    except UnsupportedError as problem:
        return problem
    return None


def _finished(lowering: Lowering, where: str) -> Network:
    net = lowering.net
    result = lowering.stored[net.output]
    if result.is_repeated:
        raise refusal([("the result is repeated values", net.output, "end before that")], where)
    if result.as_map() is None and not result.in_order:
        what = "the result is flattened from a map"
        raise refusal([(what, net.output, "end with the map itself, or with a dense layer")], where)
    read = lowering.stored[net.input]
    return Network(
        tuple(lowering.layers),
        lowering.shapes,
        lowering.quants,
        Place(net.input, read.name, read.place),
        Place(net.output, result.name, result.place),
        _logits(lowering),
        tuple(net.notes),
    )


def _logits(lowering: Lowering) -> Place | None:
    """Return what a final softmax reads."""
    last = lowering.layers[-1] if lowering.layers else None
    for node in lowering.net.nodes:
        if isinstance(last, Softmax) and node.output == last.output:
            read = lowering.stored[node.inputs[0]]
            return Place(node.inputs[0], read.name, read.place)
    return None


def _move(lowering: Lowering, node: Node) -> None:
    """Change how ONNX sees a value by a Transpose, Reshape or the like; the value stays."""
    stored = lowering.stored.get(node.inputs[0]) or lowering.source(node)
    shape = lowering.net.shapes[node.output]
    if node.kind == "Transpose":
        order: Sequence[int] = node.attributes.get("perm") or range(stored.place.ndim)[::-1]
        place = stored.place.transpose(order)
    elif node.kind == "Expand":
        place = np.broadcast_to(stored.place, shape)
    elif node.kind == "Tile":
        place = np.tile(stored.place, lowering.numbers(node, "repeats", 1) or [])
    else:
        place = stored.place.reshape(shape)
    mine, theirs = lowering.quants.get(stored.name), lowering.quants.get(node.output)
    if mine and theirs and not mine.same(theirs):
        layer = Requantize(node.name, (stored.name,), node.output)
        lowering.emit(layer, place, stored.shape)
    else:
        lowering.put(node.output, Stored(stored.name, stored.shape, place))


def is_channels_last(net: Net) -> bool:
    """Say whether the image comes as NHWC: transposed before its first use, or by its shape."""
    shape = net.shapes[net.input]
    if len(shape) != 4:
        return False
    readers = net.readers()
    name = net.input
    while len(readers.get(name, [])) == 1:
        node = readers[name][0]
        if node.kind == "Transpose":
            return list(node.attributes.get("perm", ())) == [0, 3, 1, 2]
        if node.kind in ONNX and ONNX[node.kind].is_nchw:
            return False
        if node.kind not in _LOOKS_THROUGH:
            break
        name = node.output
    return shape[3] in _COLOURS and shape[1] not in _COLOURS
