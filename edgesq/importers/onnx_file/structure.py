"""One list of operators, each after what it reads, with functions written out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import onnx
import onnx.checker
import onnx.inliner
from onnx import AttributeProto

from edgesq.errors import ModelError
from edgesq.limits import MAX_CODE_BYTES, MAX_DEPTH, MAX_EXTENT, MAX_NODES

_DAMAGED = "the file is damaged; export it again"
_Key = tuple[str, str, str]
_Size = tuple[int, int]


def written_out(model: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """Return the model with its local functions in the places where they are called.

    How many operators and bytes that gives is counted before.

    Raises:
        ModelError: it is too large, or a function calls itself.
    """
    nodes, n_bytes = _Sizes(model, where).of(model.graph.node, 0)
    if nodes > MAX_NODES or n_bytes > MAX_CODE_BYTES:
        raise ModelError(
            f"{nodes:,} operators of {n_bytes:,} bytes with its functions written out; "
            f"{MAX_NODES:,} of {MAX_CODE_BYTES:,} are the most",
            where=where,
        )
    if not model.functions:
        return model
    try:
        return onnx.inliner.inline_local_functions(model)
    # ONNX's C++ side raises whatever it likes.
    except Exception as error:
        raise ModelError(
            f"its functions cannot be written out: {' '.join(str(error).split())[:160]}",
            where=where,
            hint=_DAMAGED,
        ) from error


class _Sizes:
    """How many operators and bytes each function is with those that it calls."""

    def __init__(self, model: onnx.ModelProto, where: str) -> None:
        self.bodies = {(f.domain, f.name, f.overload): f for f in model.functions}
        self.known: dict[_Key, _Size] = {}
        self.where = where
        if len(self.bodies) < len(model.functions):
            raise ModelError("two functions of one name", where=where, hint=_DAMAGED)

    def of(self, nodes: Iterable[onnx.NodeProto], depth: int) -> _Size:
        if depth > MAX_DEPTH:
            what = f"functions within each other, more than {MAX_DEPTH} deep or without an end"
            raise ModelError(what, where=self.where)
        count = n_bytes = 0
        for node in _with_branches(nodes):
            key = (node.domain, node.op_type, node.overload)
            more = (1, node.ByteSize())
            if key in self.bodies:
                if key not in self.known:
                    self.known[key] = self.of(self.bodies[key].node, depth + 1)
                more = self.known[key]
            count, n_bytes = count + more[0], n_bytes + more[1]
        return count, n_bytes


def _with_branches(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Yield operators and those in their branches and loops."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                pending.extend(graph.node)


def put_in_order(model: onnx.ModelProto, where: str) -> None:
    """Keep the operators that the outputs need, each behind what it reads.

    Raises:
        ModelError: two values of one name, one that nothing makes, or a circle.
    """
    graph = model.graph
    for named in (*graph.node, *model.opset_import):
        named.domain = "" if named.domain == "ai.onnx" else named.domain
    given = Counter(tensor.name for tensor in graph.initializer)
    given |= Counter(value.name for value in graph.input)
    made = Counter(name for node in graph.node for name in node.output if name)
    twice = [name for name, count in (given + made).items() if count > 1]
    if twice:
        raise ModelError(f"two values are called {twice[0]!r}", where=where, hint=_DAMAGED)
    needed = _needed(graph, set(given), where)
    wanted = {name for node in needed for name in node.output if name}
    as_written = [node for node in graph.node if wanted.intersection(node.output)]
    kept = as_written if _is_in_order(as_written, set(given)) else needed
    del graph.node[:]
    graph.node.extend(kept)


def _is_in_order(nodes: Iterable[onnx.NodeProto], known: set[str]) -> bool:
    for node in nodes:
        if not known.issuperset(name for name in node.input if name):
            return False
        known.update(node.output)
    return True


def _needed(graph: onnx.GraphProto, known: set[str], where: str) -> list[onnx.NodeProto]:
    makers = {name: node for node in graph.node for name in node.output if name}
    kept: list[onnx.NodeProto] = []
    begun: set[str] = set()
    stack = [(value.name, False) for value in reversed(graph.output)]
    while stack:
        name, is_last = stack.pop()
        if name in known:
            continue
        node = makers.get(name)
        if node is None:
            what = f"nothing makes the value {name!r}"
            raise ModelError(what, where=where, hint=_DAMAGED)
        if is_last:
            kept.append(node)
            known.update(node.output)
            continue
        if name in begun:
            what = f"the operators run in a circle through {name!r}"
            raise ModelError(what, where=where, hint=_DAMAGED)
        begun.update(node.output)
        stack.append((name, True))
        stack.extend((need, False) for need in reversed(node.input) if need)
    return kept


def misformed(model: onnx.ModelProto) -> list[tuple[str, str, str]]:
    """Return operators whose inputs or attributes are not as ONNX defines them."""
    odd = [item for item in model.opset_import if not 0 < item.version <= MAX_EXTENT]
    if odd:
        return [
            (f"version {item.version} of the operators", item.domain or "ONNX", _DAMAGED)
            for item in odd
        ]
    if not 0 < model.ir_version <= MAX_EXTENT:
        return [(f"version {model.ir_version} of ONNX itself", model.graph.name, _DAMAGED)]
    context = onnx.checker.C.CheckerContext()
    context.ir_version = model.ir_version
    versions = {item.domain: item.version for item in model.opset_import}
    context.opset_imports = {"com.microsoft": 1, **versions}
    found = []
    for node in model.graph.node:
        if any(attribute.ref_attr_name for attribute in node.attribute):
            found.append((f"{node.op_type} outside of a function", place(node), _DAMAGED))
            continue
        try:
            onnx.checker.check_node(node, context)
        except onnx.checker.ValidationError as error:
            said = " ".join(str(error).split("==>")[0].split())[:160]
            found.append((f"{node.op_type}: {said}", place(node), _DAMAGED))
    return found


def has_branches(node: onnx.NodeProto) -> bool:
    """Say whether an operator holds graphs of its own: a loop or a branch."""
    kinds = (AttributeProto.GRAPH, AttributeProto.GRAPHS)
    return any(attribute.type in kinds for attribute in node.attribute)


def place(node: onnx.NodeProto) -> str:
    """Return what to call an operator in messages."""
    return str(node.name or next(iter(node.output), "") or node.op_type)
