"""Read the graph of a SavedModel from its file, without running anything of it.

A SavedModel is a program: TensorFlow's operators write files and call the network too. So the
graph is cut to what the signature's result needs, before TensorFlow sees it, and only operators
that compute may be left.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from edgesq.errors import ModelError
from edgesq.limits import (
    MAX_EXTENT,
    MAX_FILE_BYTES,
    MAX_INPUTS,
    MAX_NODES,
    MAX_OBSERVED,
    MAX_VALUES,
)
from edgesq.quantize.convert import RECURRENT_HINT
from edgesq.quantize.saved_inline import RANDOM, inlined, needed_nodes

FILE = "saved_model.pb"
SAVE = "save it with model.export(folder), or tf.saved_model.save(model, folder, signatures=...)"

OBJECT = "object "
"""Prefix of the key of a variable that is stored by its object number."""

_USUAL = "serving_default"
_NUMBERS = re.compile(r"[0-9]+")
_INIT = "__saved_model_init_op"
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_VARIABLES = frozenset({"VarHandleOp", "ReadVariableOp", "VariableV2"})
_LOOPS = frozenset({"Case", "If", "StatelessCase", "StatelessIf", "StatelessWhile", "While"})
_COMPUTING = frozenset(
    {
        *("Abs", "Add", "AddN", "AddV2", "AdjustContrastv2", "AdjustHue", "AdjustSaturation"),
        *("All", "Any", "ArgMax", "ArgMin", "AvgPool", "BatchMatMul", "BatchMatMulV2"),
        *("BatchMatMulV3", "BatchToSpaceND", "BiasAdd", "BiasAddV1", "BroadcastArgs"),
        *("BroadcastTo", "Cast", "Ceil", "Concat", "ConcatV2", "Const", "Conv2D"),
        *("Conv2DBackpropInput", "Cos", "CropAndResize", "DepthToSpace"),
        *("DepthwiseConv2dNative", "Div", "DivNoNan", "Einsum", "Elu", "Equal", "Erf", "Erfc"),
        *("Exp", "ExpandDims", "Expm1", "FakeQuantWithMinMaxVars", "Fill", "Floor", "FloorDiv"),
        *("FloorMod", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "Gather"),
        *("GatherV2", "Greater", "GreaterEqual", "HSVToRGB", "Identity", "IdentityN"),
        *("ImageProjectiveTransformV2", "ImageProjectiveTransformV3", "Inv", "LRN", "LeakyRelu"),
        *("Less", "LessEqual", "Log", "Log1p", "LogSoftmax", "LogicalAnd", "LogicalNot"),
        *("LogicalOr", "MatMul", "Max", "MaxPool", "MaxPoolV2", "Maximum", "Mean", "Min"),
        *("Minimum", "MirrorPad", "Mod", "Mul", "Neg", "NotEqual", "OnesLike", "Pack", "Pad"),
        *("PadV2", "Placeholder", "Pow", "PreventGradient", "Prod", "RGBToHSV", "Range", "Rank"),
        *("RealDiv", "Reciprocal", "Relu", "Relu6", "Reshape", "ResizeBicubic"),
        *("ResizeBilinear", "ResizeNearestNeighbor", "ReverseV2", "Rint", "Round", "Rsqrt"),
        *("Select", "SelectV2", "Selu", "Shape", "Sigmoid", "Sign", "Sin", "Size", "Slice"),
        *("Snapshot", "Softmax", "Softplus", "Softsign", "SpaceToBatchND", "SpaceToDepth"),
        *("Split", "SplitV", "Sqrt", "Square", "SquaredDifference", "Squeeze", "StopGradient"),
        *("StridedSlice", "Sub", "Sum", "Tanh", "Tile", "TopKV2", "Transpose", "Unpack"),
        *("ZerosLike",),
    }
)
"""Operators without side effects."""

_LEFT = _COMPUTING | _VARIABLES | _CALLS | RANDOM
_CUT = frozenset(
    {
        *("Assert", "AssignAddVariableOp", "AssignSubVariableOp", "AssignVariableOp"),
        *("CheckNumerics", "DisableCopyOnRead", "NoOp"),
    }
)
"""Operators that may be removed where the result depends on them by control edges only; others are
refused."""


@dataclass(frozen=True)
class SavedInput:
    """An input of a signature.

    Attributes:
        name: in the signature.
        tensor: its name in the graph.
        shape: batch first; None is any.
        is_bytes: it is uint8, not float32.
    """

    name: str
    tensor: str
    shape: tuple[int | None, ...]
    is_bytes: bool

    @property
    def node(self) -> str:
        """The operator of the graph that it is."""
        return self.tensor.partition(":")[0]


@dataclass(frozen=True)
class SavedGraph:
    """The part of a SavedModel that is run.

    Attributes:
        definition: a GraphDef, cut to what follows.
        inputs: by the order of their names, numbers in them counted as such.
        results: tensors, by the order of their names in the signature.
        keys: where the variables' files have the value of a variable, by its node.
    """

    definition: Any
    inputs: tuple[SavedInput, ...]
    results: tuple[str, ...]
    keys: dict[str, str]


def read_saved(folder: Path) -> SavedGraph:
    """Read a SavedModel's one signature.

    Raises:
        ModelError: it is damaged or too large, its signature takes what is no image of fixed size,
            or a result needs operators that do more than compute.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    where = str(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > MAX_FILE_BYTES:
        raise ModelError(
            f"is larger than the {MAX_FILE_BYTES / (1 << 30):.0f} GiB that are read",
            where=where,
            hint="give a model for images of a size that a board can take",
        )
    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString((folder / FILE).read_bytes())
    except DecodeError as error:
        raise ModelError(
            f"cannot be read as a SavedModel: {FILE} is damaged", where=where, hint=SAVE
        ) from error
    graphs = [graph for graph in saved.meta_graphs if "serve" in graph.meta_info_def.tags]
    if not (graphs or saved.meta_graphs):
        raise ModelError("cannot be read as a SavedModel: it is empty", where=where, hint=SAVE)
    return _of_signature((graphs or saved.meta_graphs)[0], where)


def _of_signature(meta: Any, where: str) -> SavedGraph:
    names = sorted(name for name in meta.signature_def if name != _INIT)
    if _USUAL not in names and len(names) != 1:
        listed = ", ".join(names) or "none"
        raise ModelError(f"its signatures are: {listed}", where=where, hint=SAVE)
    signature = meta.signature_def[_USUAL if _USUAL in names else names[0]]
    sources, results = _sorted(signature.inputs), _sorted(signature.outputs)
    if not (1 <= len(sources) <= MAX_INPUTS and 1 <= len(results) <= MAX_OBSERVED):
        raise ModelError(
            f"has {len(sources)} inputs ({', '.join(sources)}) and {len(results)} outputs",
            where=where,
            hint=f"1 to {MAX_INPUTS} inputs and 1 to {MAX_OBSERVED} outputs are supported",
        )
    inputs = tuple(_input(name, one, len(sources), where) for name, one in sources.items())
    tensors = [one.name for one in results.values()]
    if len(set(tensors)) < len(tensors):
        raise ModelError("gives an output twice", where=where, hint="name each output once")
    cutter = _Cutter(meta.graph_def, where)
    definition, ends = cutter.cut(tensors)
    return SavedGraph(definition, inputs, ends, _keys(meta))


def _sorted(ends: Mapping[str, Any]) -> dict[str, Any]:
    """Return a signature's inputs or outputs by name; a file does not keep them in an order."""
    key = partial(_NUMBERS.sub, lambda found: found[0].zfill(9))
    return {name: ends[name] for name in sorted(ends, key=key)}


def _keys(meta: Any) -> dict[str, str]:
    """Return where the values of variables are kept: by their own names, or as objects."""
    graph = meta.graph_def
    variables = [node for node in graph.node if node.op in _VARIABLES]
    keys = {node.name: node.attr["shared_name"].s.decode() or node.name for node in variables}
    functions = meta.object_graph_def.concrete_functions
    for node in graph.node:
        for name in _called([node]):
            bound = functions[name].bound_inputs if name in functions else []
            first = len(node.input) - len(bound)
            keys |= {
                read.partition(":")[0]: f"{OBJECT}{number}"
                for read, number in zip(node.input[first:], bound, strict=False)
            }
    return keys


def _input(name: str, source: Any, count: int, where: str) -> SavedInput:
    from tensorflow.core.framework import types_pb2

    sizes = [None if one.size < 0 else one.size for one in source.tensor_shape.dim]
    kinds = {types_pb2.DT_FLOAT: "float32", types_pb2.DT_UINT8: "uint8"}
    kind = kinds.get(source.dtype, types_pb2.DataType.Name(source.dtype))
    inner = [one for one in sizes[1:] if one is not None]
    ranks = (3, 4) if count == 1 else (2, 3, 4)
    is_fixed = len(inner) == len(sizes) - 1 and len(sizes) in ranks and all(inner)
    wanted = "[None, H, W, C]" if count == 1 else "[None, H, W, C] or [None, C]"
    if not is_fixed or sizes[0] not in (None, 1) or source.dtype not in kinds:
        raise ModelError(
            f"the input {name} is {kind} {sizes}, not float32 {wanted}",
            where=where,
            hint="save it with any batch size and the input size that the board will see",
        )
    if math.prod(inner) > MAX_VALUES:
        raise ModelError(
            f"the input shape {inner}, at most {MAX_VALUES:,} values are read",
            where=where,
            hint="give a model for images of a size that a board can take",
        )
    return SavedInput(name, source.name, tuple(sizes), kind == "uint8")


class _Cutter:
    """Cuts a graph and its functions to what results need."""

    def __init__(self, graph: Any, where: str) -> None:
        self.graph = graph
        self.where = where
        self._functions = {one.signature.name: one for one in graph.library.function}
        self._counts: dict[str, int] = {}
        self._kept: dict[str, Any] = {}

    def cut(self, results: Sequence[str]) -> tuple[Any, tuple[str, ...]]:
        """Return the nodes that tensors need, and the tensors' names in there.

        Functions that they need are written out.

        Raises:
            ModelError: among them are operators that do more than compute, or too many.
        """
        import tensorflow as tf
        from tensorflow.core.framework import graph_pb2

        made = graph_pb2.GraphDef()
        made.versions.CopyFrom(self.graph.versions)
        nodes = needed_nodes(self.graph.node, results)
        self._check(nodes, _LEFT)
        self._check(needed_nodes(self.graph.node, results, with_order=True), _LEFT | _CUT)
        count = sum(self._count(node, frozenset()) for node in nodes)
        if count > MAX_NODES:
            raise ModelError(
                f"{count:,} operators with all functions written out, at most {MAX_NODES:,} are "
                "read",
                where=self.where,
                hint="give a model for images of a size that a board can take",
            )
        known = graph_pb2.GraphDef()
        known.versions.CopyFrom(self.graph.versions)
        known.library.function.extend(self._kept.values())
        with tf.Graph().as_default():  # that knows the functions
            tf.import_graph_def(known, name="")
            flat, renamed = inlined([_without_order(node) for node in nodes], self._kept)
        made.node.extend(flat)
        return made, tuple(renamed.get(result, result) for result in results)

    def _count(self, node: Any, callers: frozenset[str]) -> int:
        """Return how many operators one stands for; keep what its function needs."""
        return 1 + sum(self._count_function(name, callers) for name in _called([node]))

    def _count_function(self, name: str, callers: frozenset[str]) -> int:
        if name in callers or name not in self._functions:
            raise ModelError(
                f"calls a function that calls itself, or is not there: {name}",
                where=self.where,
                hint=SAVE,
            )
        if name not in self._counts:
            function = self._functions[name]
            nodes = needed_nodes(function.node_def, function.ret.values())
            self._check(nodes, _LEFT)
            self._check(function.node_def, _LEFT | _CUT)
            inside = callers | {name}
            self._counts[name] = sum(self._count(node, inside) for node in nodes)
            kept = type(function)()
            kept.CopyFrom(function)
            del kept.node_def[:]
            kept.control_ret.clear()
            del kept.signature.control_output[:]
            kept.node_def.extend(_without_order(node) for node in nodes)
            self._kept[name] = kept
        return self._counts[name]

    def _check(self, nodes: Iterable[Any], allowed: frozenset[str]) -> None:
        kinds = {node.op for node in nodes} - allowed
        if kinds & _LOOPS:
            raise ModelError(
                f"has loops or branches ({', '.join(sorted(kinds & _LOOPS))})",
                where=self.where,
                hint=RECURRENT_HINT,
            )
        if kinds:
            raise ModelError(
                f"has operators that are not run, as they do more than compute or are not known: "
                f"{', '.join(sorted(kinds))}",
                where=self.where,
                hint="keep them out of the network",
            )
        for node in nodes:
            for key, value in node.attr.items():
                numbers = [*value.list.i, *([value.i] if value.HasField("i") else [])]
                shape = value.tensor.tensor_shape if value.HasField("tensor") else None
                values = math.prod(max(one.size, 0) for one in shape.dim) if shape else 0
                free = key in ("seed", "seed2")
                if values > MAX_VALUES or (not free and any(abs(n) > MAX_EXTENT for n in numbers)):
                    raise ModelError(
                        f"{node.name} has a number of more than {MAX_EXTENT:,} for {key}",
                        where=self.where,
                        hint="give a model for images of a size that a board can take",
                    )


def _without_order(node: Any) -> Any:
    """Return a copy that waits for nothing but its values: what computes has no other effects."""
    copy = type(node)()
    copy.CopyFrom(node)
    del copy.input[:]
    copy.input.extend(read for read in node.input if not read.startswith("^"))
    return copy


def _called(nodes: Iterable[Any]) -> Iterator[str]:
    for node in nodes:
        for value in node.attr.values():
            if value.HasField("func"):
                yield value.func.name
            yield from (one.name for one in value.list.func)
