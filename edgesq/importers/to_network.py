"""From ONNX's operators to a network in NHWC: the walk over the net, and what moves no values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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

    Where an image's layout is a guess, and wrong, the other one is tried too.

    Args:
        net: float, or int8 after `annotate`.
        where: the file, for messages.

    Raises:
        ModelError: operators cannot be taken; all are named.
    """
    guess = channels_last(net)
    try:
        return _lower(net, where, guess)
    except ModelError:
        for other in _others(net, guess):
            with suppress(ModelError):
                return _lower(net, where, other)
        raise


def _others(net: Net, guess: frozenset[str]) -> Iterator[frozenset[str]]:
    """Yield other guesses: each image by itself the other way, then all of them."""
    maps = [name for name in net.inputs if len(net.shapes[name]) == 4]
    for name in maps:
        yield guess ^ {name}
    if len(maps) > 1:
        yield guess ^ set(maps)


def _lower(net: Net, where: str, channels_last: frozenset[str]) -> Network:
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
    problems, seen = [], set[str]()
    for name in net.outputs:
        result = lowering.stored[name]
        if result.is_repeated:
            problems.append(("the result is repeated values", name, "end before that"))
        elif result.as_map() is None and not result.in_order:
            hint = "end with the map itself, or with a dense layer"
            problems.append(("the result is flattened from a map", name, hint))
        elif result.name in seen:
            problems.append(("a result that is another one too", name, "name each output once"))
        seen.add(result.name)
    if problems:
        raise refusal(problems, where)
    return Network(
        tuple(lowering.layers),
        lowering.shapes,
        lowering.quants,
        tuple(_place(lowering, name) for name in net.inputs),
        tuple(_place(lowering, name) for name in net.outputs),
        _logits(lowering),
        tuple(net.notes),
    )


def _place(lowering: Lowering, name: str) -> Place:
    stored = lowering.stored[name]
    return Place(name, stored.name, stored.place)


def _logits(lowering: Lowering) -> dict[str, Place]:
    """Return what a softmax reads that an output comes from, by the output's name in ONNX."""
    made = {layer.output for layer in lowering.layers if isinstance(layer, Softmax)}
    read = {node.output: node.inputs[0] for node in lowering.net.nodes if node.output in made}
    ends = {name: lowering.stored[name].name for name in lowering.net.outputs}
    return {name: _place(lowering, read[end]) for name, end in ends.items() if end in read}


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


def channels_last(net: Net) -> frozenset[str]:
    """Return the images that come as NHWC."""
    readers = net.readers()
    return frozenset(name for name in net.inputs if _is_channels_last(net, name, readers))


def _is_channels_last(net: Net, name: str, readers: Mapping[str, Sequence[Node]]) -> bool:
    """Say whether an image comes as NHWC: transposed before its first use, or by its shape."""
    shape = net.shapes[name]
    if len(shape) != 4:
        return False
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
