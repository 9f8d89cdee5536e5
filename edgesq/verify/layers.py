"""Compare a board with the host operator by operator, and say what is wrong with the first one.

The board sends a CRC-32 of every operator's output. Only the first operator that differs is looked
at: the image is run again, held after each of its steps, and its inputs and output are fetched.
"""

import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from edgesq.builds import Operator
from edgesq.graph import Graph, Int8Array
from edgesq.link.trace import OperatorTrace, Tracer
from edgesq.records import Count, Lsb
from edgesq.reference import run
from edgesq.verify.case import Case
from edgesq.verify.diagnose import Cause, diagnose
from edgesq.verify.fetch import fetch

_MAX_CASES = 8
"""Images looked at where one does not settle which bit flipped."""

Values = Mapping[int, Int8Array]
Ticks = list[tuple[int, ...]]


@dataclass(frozen=True)
class LayerDifference:
    """The first operator that differs. The field names are the JSON's keys.

    Attributes:
        image: number of the image in which it was seen, from 0 on.
        operator: index into the runtime's table.
        name: of its layers.
        kind: of the graph's operators it computes.
        function: that the board runs.
        values: of its output.
        differing: of these, not equal.
        max_abs_lsb: largest difference in quantization steps.
        first_index: [y, x, channel] of the first value that differs; None where, when the image was
            run again, none did.
        expected: that value on the host.
        got: that value on the board.
        cause: the likely one.
        detail: why, and where exactly.
    """

    image: Count
    operator: Count
    name: str
    kind: str
    function: str
    values: Count
    differing: Count
    max_abs_lsb: Lsb
    first_index: tuple[int, int, int] | None
    expected: int | None
    got: int | None
    cause: Cause
    detail: str


@dataclass(frozen=True)
class Layers:
    """Board against host, operator by operator. The field names are the JSON's keys.

    Attributes:
        images: whose operators were compared, up to the first difference.
        operators: in the runtime's table.
        equal: operators before the first difference; all of them where there is none.
        difference: the first one, or None.
    """

    images: Count
    operators: Count
    equal: Count
    difference: LayerDifference | None


def trace_images(
    tracer: Tracer,
    graph: Graph,
    operators: tuple[Operator, ...],
    images: Iterable[Int8Array],
    on_image: Callable[[int], None] = lambda _: None,
) -> tuple[Layers, Ticks]:
    """Compare every operator of every image, up to the first difference.

    Args:
        tracer: of a board that runs the model.
        graph: the model.
        operators: the runtime's table.
        images: int8 [H, W, C] each, at least one.
        on_image: is told how many images are done.

    Returns:
        What was found, and the ticks of every operator by image.

    Raises:
        BoardError: the link failed.
        EdgesqError: the build's table does not fit the model.
    """
    ticks: Ticks = []
    before: deque[Int8Array] = deque(maxlen=_MAX_CASES - 1)
    following = iter(images)
    with ThreadPoolExecutor(max_workers=1) as pool:
        for number, image in enumerate(following):
            computed = pool.submit(run, graph, image)
            _, traces = tracer.infer(image.tobytes(), with_crc=True)
            ticks.append(tuple(trace.ticks for trace in traces))
            index = _first_difference(operators, traces, computed.result())
            on_image(number + 1)
            if index is not None:
                search = _Search(tracer, graph, operators, index)
                others = islice(chain(following, before), _MAX_CASES - 1)
                found = search.look_at(number, computed.result(), others)
                return Layers(number + 1, len(operators), index, found), ticks
            before.append(image)
    return Layers(len(ticks), len(operators), len(operators), None), ticks


def _first_difference(
    operators: tuple[Operator, ...], traces: tuple[OperatorTrace, ...], values: Values
) -> int | None:
    for index, (operator, trace) in enumerate(zip(operators, traces, strict=True)):
        if zlib.crc32(values[operator.output].tobytes()) != trace.crc:
            return index
    return None


class _Search:
    """Looks at one operator in as many images as it takes to say what is wrong with it."""

    def __init__(
        self, tracer: Tracer, graph: Graph, operators: tuple[Operator, ...], index: int
    ) -> None:
        self.tracer = tracer
        self.graph = graph
        self.operators = operators
        self.index = index

    def look_at(self, number: int, values: Values, others: Iterable[Int8Array]) -> LayerDifference:
        """Say what is wrong in image `number`; `others` are further images, right or wrong.

        The operators before it are right, so its inputs are where nothing was written over them.
        """
        operator = self.operators[self.index]
        cases = [self._fetched(values)]
        found = diagnose(self.graph, self.operators, operator, cases)
        for image in others:
            if found.is_settled:
                break
            case = self._case(image)
            if case is not None:
                cases.append(case)
                found = diagnose(self.graph, self.operators, operator, cases)
        expected, got = cases[0].expected, cases[0].output
        steps = np.abs(expected.astype(np.int32) - got)
        places = np.argwhere(steps)
        first = tuple(int(at) for at in places[0]) if len(places) else None
        return LayerDifference(
            image=number,
            operator=self.index,
            name=operator.name,
            kind=operator.kind,
            function=operator.function,
            values=int(steps.size),
            differing=len(places),
            max_abs_lsb=int(steps.max()),
            first_index=None if first is None else (first[0], first[1], first[2]),
            expected=None if first is None else int(expected[first]),
            got=None if first is None else int(got[first]),
            cause=found.cause,
            detail=found.detail,
        )

    def _case(self, image: Int8Array) -> Case | None:
        """Return another image's case, None where an operator before this one differs in it."""
        values = run(self.graph, image)
        _, traces = self.tracer.infer(image.tobytes(), with_crc=True)
        first = _first_difference(self.operators, traces, values)
        if first is not None and first < self.index:
            return None
        if first == self.index:
            return self._fetched(values)
        operator = self.operators[self.index]
        inputs = tuple(values[tensor] for tensor in operator.inputs)
        output = values[operator.output]
        return Case(values, output, inputs, output)

    def _fetched(self, values: Values) -> Case:
        fetched = fetch(self.tracer, self.graph, self.operators, self.index, values)
        operator = self.operators[self.index]
        return Case(values, values[operator.output], fetched.inputs, fetched.output)
