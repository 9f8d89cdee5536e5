"""Leave out what only chooses among the results at the end: ARG_MAX, LOG_SOFTMAX.

The board gives scores, which `verify` compares and `evaluate` ranks; the largest score is the same
before these and after.
"""

from typing import Any

from edgesq.formats.tflite.reader import INT8, UINT8, Reader

Operators = list[tuple[str, Any]]

ENDINGS = ("ARG_MAX", "LOG_SOFTMAX")
_AROUND = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "DEQUANTIZE", "CAST")


def without_ending(reader: Reader, operators: Operators) -> Operators:
    """Return the operators up to the scores; `reader.results` and its notes say what is left out.

    An operator is left out where nothing else reads its input; of several outputs all are kept.
    """
    if len(reader.results) != 1:
        return operators
    last = len(operators)
    end, (result,) = last, reader.results
    while end:
        kind, one = operators[end - 1]
        if kind not in (*ENDINGS, *_AROUND) or list(one.outputs) != [result] or not one.inputs:
            break
        end, result = end - 1, one.inputs[0]
        if kind in ENDINGS and result >= 0 and reader.type(result) in (INT8, UINT8):
            last, reader.results = end, [result]
    if last == len(operators) or last == 0:
        return operators
    for kind, one in operators[last:]:
        reader.leave_out(one)
        if kind in ENDINGS:
            reader.notes.append(
                f"{kind} at the end ({reader.name(one.outputs[0])}) is left out: the board gives "
                "the scores it is computed from"
            )
    return operators[:last]
