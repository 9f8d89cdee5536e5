"""Say why a whole .tflite is not one that the runtime takes: its numbers, its ends, its parts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from edgesq.errors import ModelError
from edgesq.formats.tflite.constants import ARITHMETIC
from edgesq.formats.tflite.end import ENDINGS
from edgesq.formats.tflite.reader import FLOAT16, FLOAT32, INT8, INT16, INT32, INT64, UINT8, Reader

Operators = list[tuple[str, Any]]

_EDGES = ("QUANTIZE", "DEQUANTIZE")
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_NUMBERS = (FLOAT32, FLOAT16, UINT8, INT16, INT8)
_GIVE_FLOAT = (
    "give --calibration FOLDER with some 100 typical images, and it is quantized here; or convert "
    "it to int8"
)
_GIVE_ONE = "convert it to int8 or to int16 activations as a whole"
_MAX_NAMES, _MAX_LETTERS = 3, 80


def whole_problems(reader: Reader, operators: Operators) -> list[ModelError]:
    """Return the problems of a file as a whole, the most telling one first."""
    return [*_part_problems(reader), *_end_problems(reader), *_number_problems(reader, operators)]


def without_named(reader: Reader, operators: Operators) -> Operators:
    """Return the operators that `whole_problems` does not name, without arithmetic on shapes."""
    types = {reader.type(index) for _, one in operators for index in one.outputs if index >= 0}
    is_mixed = {INT8, FLOAT32} <= types

    def is_named(kind: str, outputs: set[int]) -> bool:
        of_shapes = kind in ARITHMETIC and outputs <= {INT32, INT64}
        return of_shapes or kind in ENDINGS or (is_mixed and FLOAT32 in outputs)

    made = [{reader.type(index) for index in one.outputs if index >= 0} for _, one in operators]
    pairs = zip(operators, made, strict=True)
    return [(kind, one) for (kind, one), outputs in pairs if not is_named(kind, outputs)]


def _part_problems(reader: Reader) -> list[ModelError]:
    count = len(reader.model.subgraphs)
    if count == 1:
        return []
    signatures = [_text(one.signatureKey) for one in reader.model.signatureDefs or ()]
    named = f" (signatures {', '.join(signatures)})" if len(signatures) > 1 else ""
    hint = "convert the function that computes the result by itself, without loops or branches"
    return [reader.error(f"the file holds {count} subgraphs{named}", hint)]


def _end_problems(reader: Reader) -> list[ModelError]:
    found = []
    for ends, what in ((reader.source.inputs, "input"), (reader.source.outputs, "output")):
        if len(ends) == 0:
            found.append(reader.error(f"the model has no {what}", "convert it again"))
    return found


def _number_problems(reader: Reader, operators: Operators) -> list[ModelError]:
    """Say in which numbers a file computes, if those are not int8 alone."""
    inside = [(kind, one) for kind, one in operators if kind not in _EDGES]
    made = [(kind, index) for kind, one in inside for index in one.outputs if index >= 0]
    types = {kind: [index for _, index in made if reader.type(index) == kind] for kind in _NUMBERS}
    computed = {kind for kind, indices in types.items() if indices}
    if INT16 in computed and not computed <= {INT16, FLOAT32}:
        what = f"some of its activations are int16 ({_names(reader, types[INT16])}), and not all"
        return [reader.error(what, _GIVE_ONE)]
    if computed and computed <= {FLOAT32, FLOAT16}:
        return [reader.error(_float_sentence(reader, inside), _GIVE_FLOAT)]
    if FLOAT32 in computed:
        names = ", ".join(dict.fromkeys(k for k, i in made if reader.type(i) == FLOAT32))
        what = f"some of it is computed in float32: {names} ({_names(reader, types[FLOAT32])})"
        return [reader.error(what, "build the model without these: they have no int8 form")]
    return []


def _float_sentence(reader: Reader, operators: Operators) -> str:
    weights = {
        reader.type(one.inputs[1])
        for kind, one in operators
        if kind in _WEIGHTED and len(one.inputs) > 1 and one.inputs[1] >= 0
    }
    if INT8 in weights or UINT8 in weights:
        return "this is a hybrid .tflite: weights in int8, all else in float32 (dynamic range)"
    if any(tensor.type == FLOAT16 for tensor in reader.source.tensors):
        return "this is a float16 .tflite"
    return "this is a float32 .tflite"


def unknown_problems(
    reader: Reader, unknown: Operators, advice: dict[str, str], usual: str
) -> list[ModelError]:
    """Return one error for each kind of operator that the runtime does not know.

    Args:
        reader: the file.
        unknown: what to call each, and the operators.
        advice: what to do about some kinds, by the name before any further word.
        usual: what to do about the others.
    """
    places: dict[str, list[int]] = {}
    for words, operator in unknown:
        places.setdefault(words, []).extend(operator.outputs[:1])
    return [
        reader.error(
            f"the runtime does not know {words} ({_names(reader, indices)})",
            advice.get(words.split(" ")[0], usual),
        )
        for words, indices in places.items()
    ]


def _names(reader: Reader, indices: Collection[int]) -> str:
    """Name some tensors, and say how many more there are."""
    known = [_short(reader.name(index)) for index in list(indices)[:_MAX_NAMES] if index >= 0]
    more = len(indices) - _MAX_NAMES
    return ", ".join(known) + (f" and {more} more" if more > 0 else "")


def _short(name: str) -> str:
    """Return the first of the names that a converter puts together."""
    first = name.split(";")[0]
    return first if len(first) <= _MAX_LETTERS else f"{first[:_MAX_LETTERS]}..."


def _text(raw: Any) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
