"""Inline the functions of a SavedModel and remove what is random, so that it is deterministic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edgesq.errors import ModelError

RANDOM = frozenset(
    {
        *("RandomStandardNormal", "RandomUniform", "RandomUniformInt", "RngReadAndSkip"),
        *("StatefulUniform", "StatelessRandomGetKeyCounter", "StatelessRandomNormalV2"),
        *("StatelessRandomUniformV2", "StatelessRandomUniform", "StatelessRandomNormal"),
        *("StatelessRandomGetAlg", "StatelessRandomUniformIntV2", "TruncatedNormal"),
        *("StatelessTruncatedNormalV2", "StatelessRandomUniformInt"),
    }
)
"""Operators that draw random numbers, as augmentation does; the result must not depend on them."""


def inlined(nodes: Iterable[Any], functions: Mapping[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """Inline functions where they are called.

    Args:
        nodes: of a graph.
        functions: FunctionDefs by name, all that are called, none of them by itself.

    Returns:
        the nodes, and new names for the tensors that calls gave.
    """
    flat: list[Any] = []
    renamed: dict[str, str] = {}
    for node in nodes:
        called = functions.get(node.attr["f"].func.name) if "f" in node.attr else None
        if called is None:
            flat.append(node)
        else:
            flat += _written_out(node, called, functions, renamed)
    for node in flat:
        for position, read in enumerate(node.input):
            node.input[position] = _new_name(read, renamed)
    return flat, {name: _new_name(name, renamed) for name in renamed}


def _written_out(
    call: Any, function: Any, functions: Mapping[str, Any], renamed: dict[str, str]
) -> list[Any]:
    """Return the nodes of a function that is called; note what its results are called now."""
    from tensorflow.python.framework import function_def_to_graph

    body, flat_names = function_def_to_graph.function_def_to_graph_def(function)
    arguments: dict[str, str] = {
        argument.name: read
        for argument, read in zip(function.signature.input_arg, call.input, strict=True)
    }
    inside = [node for node in body.node if node.name not in arguments]
    nodes, inner = inlined(inside, functions)

    def outside(tensor: str) -> str:
        name = tensor.partition(":")[0]
        return str(arguments.get(name, f"{call.name}/{tensor}"))

    for node in nodes:
        node.name = f"{call.name}/{node.name}"
        for position, read in enumerate(node.input):
            node.input[position] = outside(read)
    for position, result in enumerate(function.signature.output_arg):
        given = flat_names[function.ret[result.name]]
        renamed[f"{call.name}:{position}"] = outside(inner.get(given, given))
    return nodes


def _new_name(tensor: str, renamed: Mapping[str, str]) -> str:
    """Return what a tensor is called now; one function may give what another gave it."""
    while True:
        key = tensor if ":" in tensor else f"{tensor}:0"
        if key not in renamed:
            return tensor
        tensor = renamed[key]


def needed_nodes(
    nodes: Iterable[Any], tensors: Iterable[str], with_order: bool = False
) -> list[Any]:
    """Return, in their order, the nodes that give some tensors, and those that they read."""
    found = {node.name: node for node in nodes}
    seen: set[str] = set()
    left = [tensor.lstrip("^").partition(":")[0] for tensor in tensors]
    while left:
        name = left.pop()
        if name in seen or name not in found:
            continue
        seen.add(name)
        left += (
            read.lstrip("^").partition(":")[0]
            for read in found[name].input
            if with_order or not read.startswith("^")
        )
    return [node for name, node in found.items() if name in seen]


def settle(definition: Any, results: Sequence[str], bytes_at: Iterable[str], where: str) -> None:
    """Take augmentation out of a frozen graph, and let float images in where it takes bytes.

    Args:
        definition: a GraphDef.
        results: tensors that are kept.
        bytes_at: the nodes that take bytes.
        where: the folder, for errors.

    Where a random number chooses between a map and a change of it, as Keras' exported RandomFlip
    does, it is the map.

    Raises:
        ModelError: random numbers are left, or bytes go elsewhere than into a cast.
    """
    nodes = {node.name: node for node in definition.node}
    for node in definition.node:
        if node.op not in ("Select", "SelectV2"):
            continue
        condition, one, other = node.input
        if not any(need.op in RANDOM for need in needed_nodes(definition.node, [condition])):
            continue
        changed = {need.name for need in needed_nodes(definition.node, [one])}
        kept = other if other.partition(":")[0] in changed or not changed else one
        node.op = "Identity"
        del node.input[:]
        node.input.append(kept)
        kind = node.attr["T"].type
        node.attr.clear()
        node.attr["T"].type = kind
    left = needed_nodes(definition.node, results)
    drawn = sorted(node.name for node in left if node.op in RANDOM)
    if drawn:
        raise ModelError(
            f"draws random numbers in inference too: {drawn[0]}",
            where=where,
            hint="give the model's .keras file: there, layers of augmentation are left out",
        )
    for name in bytes_at:
        _take_floats(nodes[name], left, where)


def _take_floats(source: Any, left: list[Any], where: str) -> None:
    from tensorflow.core.framework import types_pb2

    readers = [
        node for node in left if source.name in (one.partition(":")[0] for one in node.input)
    ]
    floats = types_pb2.DT_FLOAT
    if not all(node.op == "Cast" and node.attr["DstT"].type == floats for node in readers):
        raise ModelError(
            "takes bytes, and computes with them as they are", where=where, hint="cast to float32"
        )
    source.attr["dtype"].type = floats
    for node in readers:
        node.op = "Identity"
        node.attr.clear()
        node.attr["T"].type = floats
