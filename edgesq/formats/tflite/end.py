"""Leave out what only chooses among the results at the ends: ARG_MAX, LOG_SOFTMAX, TOPK_V2.

The board gives scores, which `verify` compares and `evaluate` ranks; the largest score is the same
before these and after.
"""

from collections.abc import Iterable
from typing import Any

from edgesq.formats.tflite.reader import FLOAT32, INT8, UINT8, Reader
from edgesq.limits import MAX_OBSERVED

Operators = list[tuple[str, Any]]

ENDINGS = ("ARG_MAX", "LOG_SOFTMAX", "TOPK_V2")
_AROUND = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "DEQUANTIZE", "CAST")
_SCORES = (INT8, UINT8, FLOAT32)


def without_ending(reader: Reader, operators: Operators) -> Operators:
    """Return the operators up to the scores; `reader.results` and its notes say what is left out.

    What something else reads stays. Outputs that come from the same scores become one.
    """
    ends = reader.results
    if len(ends) > MAX_OBSERVED or len(set(ends)) < len(ends):  # which is refused later
        return operators
    makers = {index: (kind, one) for kind, one in operators for index in one.outputs}
    paths = {result: _path(reader, makers, result) for result in ends}
    while True:
        gone = {id(one) for path in paths.values() for _, one in path}
        read = {index for _, one in operators if id(one) not in gone for index in one.inputs}
        read.update(result for result, path in paths.items() if not path)
        stays = [
            result
            for result, path in paths.items()
            if any(not read.isdisjoint(one.outputs) for _, one in path)
        ]
        if not stays:
            break
        paths.update((result, []) for result in stays)
    kept = [(kind, one) for kind, one in operators if id(one) not in gone]
    if not gone or not kept:
        return operators
    scores = (path[-1][1].inputs[0] if path else result for result, path in paths.items())
    reader.results = list(dict.fromkeys(scores))
    _note(reader, ((kind, one) for kind, one in operators if id(one) in gone))
    return kept


def _path(reader: Reader, makers: dict[int, tuple[str, Any]], result: int) -> Operators:
    """Return the operators between scores and a result, the last one first; none without any."""
    path: Operators = []
    count, index = 0, result
    while index in makers and len(path) < len(makers):
        kind, one = makers[index]
        is_one = len(one.outputs) == 1 or kind in ENDINGS
        if kind not in (*ENDINGS, *_AROUND) or not is_one or not one.inputs:
            break
        path.append((kind, one))
        index = one.inputs[0]
        if kind in ENDINGS and index >= 0 and reader.type(index) in _SCORES:
            count = len(path)
    return path[:count]


def _note(reader: Reader, left: Iterable[tuple[str, Any]]) -> None:
    for kind, one in left:
        reader.leave_out(one)
        if kind in ENDINGS:
            reader.notes.append(
                f"{kind} at the end ({reader.name(one.outputs[0])}) is left out: the board gives "
                "the scores it is computed from"
            )
