"""Find the flipped bit in a table or a constant that explains an operator on each value."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array
from edgesq.builds import Operator
from edgesq.combine import combine
from edgesq.graph import Graph, Int8Array
from edgesq.kernels.affine import stored_affine
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.kernel import Form
from edgesq.lookup import lookup_table
from edgesq.operators import Binary, Lookup
from edgesq.verify.case import Case

_WORD_BITS, _BYTE_BITS = 32, 8


def find_value_flips(
    graph: Graph, operator: Operator, op: Binary | Lookup, cases: list[Case]
) -> tuple[str, ...]:
    """Return the names of all single bits that explain all cases, as "bit 3 of answer -17".

    Args:
        graph: the model.
        operator: of the runtime's table.
        op: what it computes.
        cases: images in which it was looked at.
    """
    if operator.form == Form.TABLE:
        return _in_table(graph, op, cases)
    wrong = np.flatnonzero(np.any([case.differs.any(axis=(0, 1)) for case in cases], axis=0))
    if len(wrong) != 1 or not isinstance(op, Binary) or not graph.constants(op):
        return ()
    channel = int(wrong[0])
    flips = _in_lines if operator.form == Form.LINE else _in_constant
    inputs = np.stack([case.values[op.inputs[0]][..., channel] for case in cases])
    got = np.stack([case.output[..., channel] for case in cases])
    return tuple(
        name
        for name, answer in flips(graph, operator, op, channel)
        if np.array_equal(np.clip(answer(inputs), *op.clamp), got)
    )


def _in_table(graph: Graph, op: Binary | Lookup, cases: list[Case]) -> tuple[str, ...]:
    table = lookup_table(graph, op)
    inputs = np.concatenate([case.values[op.inputs[0]].ravel() for case in cases])
    got = np.concatenate([case.output.ravel() for case in cases])
    changed = got != table[inputs.astype(np.int64) + 128]
    values, answers = set(inputs[changed].tolist()), set(got[changed].tolist())
    if len(values) != 1 or len(answers) != 1:
        return ()
    (value,), (answer,) = values, answers
    bits = (int(table[value + 128]) ^ answer) & 0xFF
    if bits.bit_count() != 1 or not np.all(got[inputs == value] == answer):
        return ()
    return (f"bit {bits.bit_length() - 1} of answer {value}",)


Answer = Callable[[Int8Array], Int64Array]
"""What a channel's inputs become after a flip, before the clamp."""


def _in_lines(
    graph: Graph, operator: Operator, op: Binary, channel: int
) -> Iterator[tuple[str, Answer]]:
    """Yield each bit of a channel's slope and offset."""
    stored = stored_affine(graph, op, FAMILIES[operator.family].affine_drops)
    for place, name in enumerate(("slope", "offset")):
        for bit in range(_WORD_BITS):
            words = [int(stored.slope[channel]), int(stored.offset[channel])]
            words[place] = _flipped(words[place], bit, _WORD_BITS)

            def answer(inputs: NDArray[np.int8], line: list[int] = words) -> Int64Array:
                return stored.levels(inputs, line[0], line[1])

            yield f"bit {bit} of {name} [{channel}]", answer


def _in_constant(
    graph: Graph, _: Operator, op: Binary, channel: int
) -> Iterator[tuple[str, Answer]]:
    """Yield each bit of a channel's constant."""
    (constant,) = graph.constants(op)
    data = graph.constant(constant)
    if data.ndim > 1:
        return  # a value of each pixel: one flip does not explain a channel
    for bit in range(_BYTE_BITS):
        value = _flipped(int(data[channel]), bit, _BYTE_BITS)

        def answer(inputs: NDArray[np.int8], value: int = value) -> Int64Array:
            operands = [value if index == constant else inputs for index in op.operands]
            return combine(graph, op, *operands)

        yield f"bit {bit} of constant [{channel}]", answer


def _flipped(value: int, bit: int, width: int) -> int:
    """Return a signed number of so many bits with one of them flipped."""
    unsigned = (value ^ (1 << bit)) & ((1 << width) - 1)
    return unsigned - (1 << width) if unsigned >> (width - 1) else unsigned
