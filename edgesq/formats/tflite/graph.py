"""The way from an unpacked .tflite to a `Graph`."""

import dataclasses
import posixpath
from collections import Counter
from collections.abc import Iterable
from typing import Any

from edgesq.errors import ModelError
from edgesq.formats.tflite import curve
from edgesq.formats.tflite.batches import undilated
from edgesq.formats.tflite.chain import joined
from edgesq.formats.tflite.check import operator_problem
from edgesq.formats.tflite.constants import without_constants
from edgesq.formats.tflite.edges import Inside, without_edges
from edgesq.formats.tflite.end import without_ending
from edgesq.formats.tflite.fold import fold_pads
from edgesq.formats.tflite.graph_check import graph_problem
from edgesq.formats.tflite.infer import check_shape, is_open
from edgesq.formats.tflite.input import fix_batch, read_inputs
from edgesq.formats.tflite.int16 import READ as READ_INT16
from edgesq.formats.tflite.int16 import int16_problems, is_int16
from edgesq.formats.tflite.pixels import read_pixels
from edgesq.formats.tflite.readable import Made
from edgesq.formats.tflite.reader import Reader
from edgesq.formats.tflite.several import apart
from edgesq.formats.tflite.table import ADVICE, NAMES, READABLES
from edgesq.formats.tflite.uint8 import uint8_problems
from edgesq.formats.tflite.whole import unknown_problems, whole_problems, without_named
from edgesq.graph import Graph
from edgesq.operators import Op

_USUAL_ADVICE = "build the model without it, or cut it before"


def make_graph(reader: Reader, sha256: str) -> tuple[Graph, Inside]:
    """Turn an unpacked .tflite into a graph.

    Args:
        reader: the file; afterwards its `index` leads from its tensors to the graph's.
        sha256: of the file.

    Raises:
        ModelError: the model is not one that the runtime takes; all its operators that the runtime
            does not take are named at once.
    """
    read_pixels(reader)
    operators = [(reader.kind(operator), operator) for operator in reader.source.operators]
    if not operators:
        raise reader.error("the model has no operators")
    operators = undilated(reader, curve.joined(reader, operators))
    whole = whole_problems(reader, operators)
    if whole:
        unknown = _unknown_problems(reader, without_named(reader, operators))
        _refuse(reader, [*whole, *unknown], bool(unknown))
    fix_batch(reader)
    operators = apart(without_constants(reader, operators), reader.source.outputs)
    operators = without_ending(reader, operators)
    inside = without_edges(reader, joined(reader, operators, reader.results))
    for one in inside.first:
        check_shape(reader, "QUANTIZE", one)
    ops = _read(reader, inside)
    for one in inside.last:
        check_shape(reader, reader.kind(one), one)
    sources = tuple(reader.tensor(index) for index in inside.sources)
    results = tuple(reader.tensor(index) for index in inside.results)
    graph = Graph(tuple(reader.tensors), _named(ops), sources, results, sha256)
    reader.refuse(graph_problem(graph))
    return fold_pads(graph), inside


def _read(reader: Reader, inside: Inside) -> list[Op]:
    """Return the operators between the ends."""
    known = [(kind, one) for kind, one in inside.operators if kind in READABLES]
    unknown = _unknown_problems(reader, inside.operators)
    problems = [*uint8_problems(reader, known), *int16_problems(reader, known)]
    for kind, operator in known:
        readable = READABLES[kind]
        reader.refuse(operator_problem(kind, operator, readable.options, readable.inputs))
    steps = [step for kind, one in known for step in getattr(one, "steps", ((kind, one),))]
    if not problems and not unknown:
        for step in steps:
            if is_open(reader, step[1]):
                check_shape(reader, *step)
        read_inputs(reader, inside)
    made = [
        _attempt(reader, kind, one)
        for kind, one in known
        if kind in READ_INT16 or not is_int16(reader, one)
    ]
    failed = [error for error in made if isinstance(error, ModelError)]
    _refuse(reader, [*unknown, *problems, *failed], bool(unknown))
    for step in steps:
        check_shape(reader, *step)
    parts = (
        (one,) if isinstance(one, Op) else one for one in made if not isinstance(one, ModelError)
    )
    return [op for part in parts for op in part]


def _unknown_problems(reader: Reader, operators: list[tuple[str, Any]]) -> list[ModelError]:
    unknown = [(kind, one) for kind, one in operators if kind not in READABLES]
    return unknown_problems(reader, unknown, ADVICE, _USUAL_ADVICE)


def _attempt(reader: Reader, kind: str, operator: Any) -> Made | ModelError:
    read = READ_INT16[kind] if is_int16(reader, operator) else READABLES[kind].read
    try:
        return read(reader, operator)
    except ModelError as error:
        return error


def _refuse(reader: Reader, problems: list[ModelError], lists_known: bool) -> None:
    """Raise one error that names every operator that is not taken, if there is any.

    Args:
        reader: of the file.
        problems: the first to be named first; several may be the same.
        lists_known: whether the operators that a file may have help.
    """
    texts = [
        f"{error.message} ({error.hint})" if error.hint else error.message for error in problems
    ]
    different = list(dict.fromkeys(texts))
    if len(different) == 1:
        raise problems[0]
    if different:
        known = f"it knows {', '.join(NAMES)}"
        hint = known if lists_known else "operators and their limits are in the documentation"
        raise reader.error(f"cannot take {len(texts)} operators: {'; '.join(different)}", hint)


def _named(ops: Iterable[Op]) -> tuple[Op, ...]:
    """Give each operator its layer's name, short and unique.

    The converter calls a fused convolution "net/conv1_1/Relu;net/conv1_1/BiasAdd;..." and the
    output "StatefulPartitionedCall:0"; these become "conv1" and the operator's kind.
    """
    named: list[Op] = []
    counts: Counter[str] = Counter()
    for op in ops:
        layer = posixpath.dirname(op.name.split(";")[0])
        name = posixpath.basename(layer).removesuffix("_1") or op.kind.lower()
        counts[name] += 1
        number = f"#{counts[name]}" if counts[name] > 1 else ""
        named.append(dataclasses.replace(op, name=name + number))
    return tuple(named)
