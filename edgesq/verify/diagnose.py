"""Say what is likely wrong with an operator, by testing what would explain its output exactly."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from edgesq.builds import Operator
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Binary, Convolution, Lookup
from edgesq.verify.case import Case, unclamped
from edgesq.verify.flips import Flips, find_flips
from edgesq.verify.flips_values import find_value_flips

_MAX_NAMED = 3
_NEEDLE_BYTES = 8
_NEEDLE_VALUES = 4


class Cause(StrEnum):
    """Why an operator's output is likely wrong."""

    ROUNDING = "rounding"
    SATURATION = "saturation"
    WEIGHTS = "wrong weights: flash corrupted"
    OVERLAP = "arena overlap"
    GONE = "comes and goes"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Diagnosis:
    """What is likely wrong.

    Attributes:
        cause: the likely one.
        detail: why, and where exactly.
        is_settled: False where further images could tell more.
    """

    cause: Cause
    detail: str
    is_settled: bool = True


def diagnose(
    graph: Graph, operators: tuple[Operator, ...], operator: Operator, cases: list[Case]
) -> Diagnosis:
    """Say what is likely wrong with an operator whose inputs were right when they were written.

    Args:
        graph: the model.
        operators: the runtime's table.
        operator: the one of it that differs.
        cases: images in which it was looked at; it differs in the first.
    """
    found = _damaged_input(graph, operators, operator, cases)
    if found is None and not any(case.differs.any() for case in cases):
        return Diagnosis(
            Cause.GONE,
            "when the image was run again, held after each step, every value was right: look at "
            "supply and clock, and at interrupts that write memory",
        )
    if found is None and operator.access == "MAXIMUM":
        found = Diagnosis(
            Cause.OVERLAP,
            "its inputs were right and it only compares values; its output rows stay in their ring "
            f"through several steps, in which something writes there. {_where(cases)}",
        )
    if found is None and graph.is_int16:
        found = Diagnosis(Cause.UNKNOWN, f"its inputs were right. {_where(cases)}")
    return (
        found
        or _flipped_bit(graph, operator, cases)
        or _rounding(graph, operator, cases)
        or _saturation(graph, operator, cases)
        or Diagnosis(Cause.UNKNOWN, f"its inputs were right{_coded(operator)}. {_where(cases)}")
    )


# --- the arena ---


def _damaged_input(
    graph: Graph, operators: tuple[Operator, ...], operator: Operator, cases: list[Case]
) -> Diagnosis | None:
    for case in cases:
        for tensor, values in zip(operator.inputs, case.inputs, strict=True):
            expected = case.values[tensor]
            if values is not None and not np.array_equal(values, expected):
                return _overlap(graph, operators, tensor, case, values)
    return None


def _overlap(
    graph: Graph, operators: tuple[Operator, ...], tensor: int, case: Case, values: Int8Array
) -> Diagnosis:
    expected = case.values[tensor]
    places = np.argwhere(values != expected)
    first = tuple(places[0])
    rows = _span(places[:, 0])
    name = _maker(graph, tensor)
    right = "as received" if tensor in graph.inputs else "right when they were written"
    detail = (
        f"rows of {name} were {right}, but not when this operator read them: rows {rows}, "
        f"{len(places):,} values, the first at {_index(first)}: {expected[first]} became "
        f"{values[first]}"
    )
    owner = _owner(graph, operators, case, tensor, values)
    return Diagnosis(Cause.OVERLAP, f"{detail}, values of {owner}" if owner else detail)


def _owner(
    graph: Graph, operators: tuple[Operator, ...], case: Case, tensor: int, values: Int8Array
) -> str | None:
    """Return the operator whose values lie in a tensor's place, where there is no doubt."""
    wrong = (values != case.values[tensor]).reshape(-1)
    starts = np.flatnonzero(
        np.convolve(wrong, np.ones(_NEEDLE_BYTES, int), "valid") == _NEEDLE_BYTES
    )
    for start in starts[::_NEEDLE_BYTES]:
        needle = values.reshape(-1)[start : start + _NEEDLE_BYTES]
        if len(set(needle.tolist())) < _NEEDLE_VALUES:
            continue
        tensors = {operator.output for operator in operators} | set(graph.inputs)
        holding = [
            other
            for other in sorted(tensors - {tensor})
            if case.values[other].tobytes().find(needle.tobytes()) >= 0
        ]
        if len(holding) == 1:
            return _maker(graph, holding[0])
    return None


def _maker(graph: Graph, tensor: int) -> str:
    if tensor in graph.inputs:
        return "the image"
    return next(op.name for op in graph.ops if op.output == tensor)


# --- constants ---


def _flipped_bit(graph: Graph, operator: Operator, cases: list[Case]) -> Diagnosis | None:
    ops = operator.graph_ops(graph)
    op = ops[0]
    if isinstance(op, Binary | Lookup):
        flips = Flips(find_value_flips(graph, operator, op, cases))
    elif isinstance(op, Convolution) and not operator.coded:
        flips = find_flips(graph, operator, op, cases)
    else:
        return None
    if not flips.names:
        return None
    names = ", ".join(flips.names[:_MAX_NAMED])
    if len(flips.names) == 1:
        return Diagnosis(Cause.WEIGHTS, f"one flipped bit explains every value: {names}")
    several = f"one of {len(flips.names):,} bits flipped explains every value, as {names}"
    if sum(int(case.differs.sum()) for case in cases) == 1 and _largest(cases) == 1:
        return Diagnosis(Cause.UNKNOWN, f"too few values to tell: {several}; or rounding", False)
    return Diagnosis(Cause.WEIGHTS, several, is_settled=False)


# --- arithmetic ---


def _rounding(graph: Graph, operator: Operator, cases: list[Case]) -> Diagnosis | None:
    channels = np.flatnonzero(np.any([case.differs.any(axis=(0, 1)) for case in cases], axis=0))
    if _largest(cases) != 1 or len(channels) < 2:
        return None
    steps = np.concatenate([_steps(case)[case.differs] for case in cases])
    share = f"{np.mean([case.differs.mean() for case in cases]):.1%} of its values"
    if abs(int(steps.sum())) < len(steps):
        detail = f"{share} are one step off, {np.count_nonzero(steps > 0):,} up and "
        detail += f"{np.count_nonzero(steps < 0):,} down"
    else:
        way = "high" if steps[0] > 0 else "low"
        detail = f"{share} are one step too {way}"
        if _is_constant_off(graph, operator, cases, int(steps[0])):
            detail += ", all but those at the clamp: a constant of the requantization is off by one"
    return Diagnosis(
        Cause.ROUNDING, f"{detail}, in {len(channels)} of {cases[0].expected.shape[2]} channels"
    )


def _is_constant_off(graph: Graph, operator: Operator, cases: list[Case], step: int) -> bool:
    op = operator.graph_ops(graph)[-1]
    clamp: tuple[int, int] = getattr(op, "clamp", (-128, 127))
    return all(
        np.array_equal(np.clip(real + step, *clamp), case.output)
        for case in cases
        if (real := unclamped(graph, op, case.values)) is not None
    )


def _saturation(graph: Graph, operator: Operator, cases: list[Case]) -> Diagnosis | None:
    op = operator.graph_ops(graph)[-1]
    wrong = [case.differs for case in cases]
    expected = np.concatenate(
        [case.expected[where] for case, where in zip(cases, wrong, strict=True)]
    )
    got = np.concatenate([case.output[where] for case, where in zip(cases, wrong, strict=True)])
    clamp: tuple[int, int] = getattr(op, "clamp", (-128, 127))
    real = [unclamped(graph, op, case.values) for case in cases]
    if real[0] is not None:
        beyond = np.concatenate(
            [values[where] for values, where in zip(real, wrong, strict=True) if values is not None]
        )
        if np.array_equal(beyond.astype(np.int8), got):
            return Diagnosis(
                Cause.SATURATION, f"{_beyond(beyond)} wrap around instead of saturating"
            )
        if np.array_equal(np.clip(beyond, -128, 127), got):
            limits = f"[{clamp[0]}, {clamp[1]}]"
            return Diagnosis(Cause.SATURATION, f"{_beyond(beyond)} are not clamped to {limits}")
    if len(set(got.tolist())) == 1 and (all(expected > got) or all(expected < got)):
        ends = [case.output.max() if expected[0] > got[0] else case.output.min() for case in cases]
        if set(ends) == {got[0]}:
            return Diagnosis(Cause.SATURATION, f"values end at {got[0]}, not at the clamp's limit")
    return None


def _beyond(values: NDArray[np.int64]) -> str:
    return f"results beyond the limits, {values.min()} to {values.max()},"


# --- words ---


def _coded(operator: Operator) -> str:
    """Say what is known of weights that no flipped bit can be named in."""
    if not operator.coded:
        return ""
    return (
        ", and its weights are decoded from a stream whose CRC-32 was right when the board "
        "started: a flip since then, or one in RAM, cannot be named"
    )


def _steps(case: Case) -> NDArray[np.int16]:
    return case.output.astype(np.int16) - case.expected


def _largest(cases: list[Case]) -> int:
    return max(int(np.abs(_steps(case)).max()) for case in cases)


def _where(cases: list[Case]) -> str:
    """Say where the differences of the first case are."""
    places = np.argwhere(cases[0].differs)
    if not len(places):
        return "In the first image every value was right when it was run again"
    height, width, channels = cases[0].expected.shape
    there = sorted(set(places[:, 2].tolist()))
    named = ", ".join(map(str, there[:_MAX_NAMED])) + (", ..." if len(there) > _MAX_NAMED else "")
    return (
        f"Values differ in {len(there)} of {channels} channels ({named}), rows "
        f"{_span(places[:, 0])} of {height}, columns {_span(places[:, 1])} of {width}"
    )


def _span(numbers: NDArray[np.int64]) -> str:
    first, last = int(numbers.min()), int(numbers.max())
    return str(first) if first == last else f"{first} to {last}"


def _index(place: tuple[int, ...]) -> str:
    return f"[{', '.join(str(int(at)) for at in place)}]"
