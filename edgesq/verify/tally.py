"""What is known after some images, in a size that does not grow with them but for their ticks."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Annotated, Any, Self

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edgesq.calibrate import Judge
from edgesq.graph import Graph, Int8Array, Tensor
from edgesq.limits import MAX_VALUES
from edgesq.link.client import Inference
from edgesq.link.session import BITS_PER_BYTE
from edgesq.records import Count, Lsb, Packed, Positive
from edgesq.verify.compare import compare
from edgesq.verify.metrics import TOP, OutputSums, best

_NO_MARGIN = 1 << 16
"""Above every distance of two values."""

MAX_DIFFERING, MAX_EXAMPLES = 100, 8
"""Images that a report names: those that differ; those put into a wrong class, or nearly."""

Expected = tuple[NDArray[Any], ...]

Place = Annotated[int, Meta(ge=0, le=MAX_VALUES)]
"""Of a value in an output; so the number of a class."""


@dataclass(frozen=True)
class Note:
    """An image worth a look. The field names are the JSON's keys.

    Attributes:
        image: its number, from 0 on.
        label: its class; None where nobody says.
        differing: values that differ.
        max_abs_lsb: largest difference in quantization steps.
        margin_lsb: steps between the board's two largest values.
        expected: places and values in reals of the five largest expected outputs.
        got: the same of the board's.
        changes: the first values that differ: tensor (as `Graph.observed`), place, expected, got.
    """

    image: Count
    label: Place | None
    differing: Count
    max_abs_lsb: Lsb
    margin_lsb: Lsb
    expected: tuple[tuple[Place, float], ...]
    got: tuple[tuple[Place, float], ...]
    changes: tuple[tuple[int, int, int, int], ...]


@dataclass
class Against:
    """A board against one form of the model.

    Attributes:
        outputs: a sum for each observed tensor that the form gives.
        same_top1: images of the same likeliest class.
        same_top5: images where its likeliest class is one of the board's five.
    """

    outputs: list[OutputSums] = field(default_factory=list)
    same_top1: Count = 0
    same_top5: Count = 0

    def add(
        self, graph: Graph, expected: Expected, got: Sequence[Int8Array], judge: Judge | None
    ) -> None:
        """Add one image; `expected` may hold fewer tensors than `got`, or more."""
        if not self.outputs:
            self.outputs = [OutputSums() for _ in zip(expected, got, strict=False)]
        rows = zip(self.outputs, expected, got, graph.observed, strict=False)
        for sums, theirs, ours, tensor in rows:
            sums.add(theirs, ours, graph.tensors[tensor])
        if judge is not None:
            first = _said(graph, expected[: len(got)], judge)[0]
            five = _said(graph, got, judge)
            self.same_top1 += first == five[0]
            self.same_top5 += first in five


class Ticks(Packed):
    """Ticks of one image after another, 8 bytes each."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._each = array("Q", numbers)

    def __len__(self) -> int:
        """Return of how many images."""
        return len(self._each)

    def append(self, ticks: int) -> None:
        """Add an image."""
        self._each.append(ticks)

    def part(self, percent: float) -> float:
        """Return what so many of 100 images take at most; 50: the median, 0 without images."""
        ticks = np.frombuffer(self._each, np.uint64) if self._each else np.zeros(1, np.uint64)
        return float(np.percentile(ticks, percent))

    def total(self) -> int:
        """Return what all images take."""
        return sum(self._each)

    def numbers(self) -> list[int]:
        """Return them by image."""
        return self._each.tolist()

    @classmethod
    def of(cls, numbers: list[int]) -> Self:
        """Return what numbers by image were made from."""
        return cls(numbers)


@dataclass
class Share:
    """What one of several boards did.

    Attributes:
        ticks: of every image that it computed.
        retries: how often something was sent again.
        resets: how often the session was begun again.
    """

    ticks: Ticks = field(default_factory=Ticks)
    retries: Count = 0
    resets: Count = 0

    def add(self, inference: Inference) -> None:
        """Add one image."""
        self.ticks.append(inference.ticks)
        self.retries += inference.retries
        self.resets += inference.resets


@dataclass
class Tally:
    """All images so far. Classes are ranked by the logits where there are some.

    An incomplete report holds it, so that a later run can go on from there.

    Attributes:
        images: compared.
        exact: of these, with every value equal.
        labelled: images with a class.
        correct: of these, put into it.
        correct5: of these, with their class among the five largest.
        confusion: images by their class, then by the board's.
        ticks: of every image.
        stack_bytes: deepest use of the board's stack; 0 where it cannot tell.
        arena_bytes: of the arena, up to the last byte written; 0 where the board cannot tell.
        retries: how often something was sent again.
        resets: how often the session was begun again.
        sent_bytes: on the wire, to the boards.
        wire_bytes: sent and received.
        line_s: seconds that the images' bytes alone take on the line, 10 bits each.
        sent_s: likewise, the bytes sent.
        baud: bits per second of the line at the end.
        seconds: from the first byte to the last result, over all sessions.
        waited_s: spent waiting for line and board, added over all boards.
        against: by form of the model, the one that decides first.
        differing: the first images that differ.
        wrong: the first images put into a wrong class.
        unsure: the images whose two largest values are closest, the closest first.
        shares: by port, where several boards share the images.
    """

    images: Count = 0
    exact: Count = 0
    labelled: Count = 0
    correct: Count = 0
    correct5: Count = 0
    confusion: dict[Place, dict[Place, Count]] = field(default_factory=dict)
    ticks: Ticks = field(default_factory=Ticks)
    stack_bytes: Count = 0
    arena_bytes: Count = 0
    retries: Count = 0
    resets: Count = 0
    sent_bytes: Count = 0
    wire_bytes: Count = 0
    line_s: Positive = 0.0
    sent_s: Positive = 0.0
    baud: Count = 0
    seconds: Positive = 0.0
    waited_s: Positive = 0.0
    against: list[Against] = field(default_factory=list)
    differing: list[Note] = field(default_factory=list)
    wrong: list[Note] = field(default_factory=list)
    unsure: list[Note] = field(default_factory=list)
    shares: dict[str, Share] = field(default_factory=dict)

    def add(
        self,
        graph: Graph,
        expected: Sequence[Expected],
        inference: Inference,
        label: int | None,
        judge: Judge | None,
    ) -> None:
        """Add the next image.

        Args:
            graph: the model.
            expected: by form of the model, int8 [K] or floats in reals per observed tensor; the
                one that decides first, in int8.
            inference: the board's.
            label: the image's class; None where nobody says, or the model cannot be judged by it.
            judge: says what outputs mean; None where they are no classes.
        """
        got = graph.typed(inference.outputs)
        self.against = self.against or [Against() for _ in expected]
        for row, theirs in zip(self.against, expected, strict=True):
            row.add(graph, theirs, got, judge)
        is_wrong = False
        if label is not None and judge is not None:
            is_wrong = self._classify(_said(graph, got, judge), label)
        self._note(graph, expected[0], got, label, is_wrong)
        self.ticks.append(inference.ticks)
        self.stack_bytes = max(self.stack_bytes, inference.stack_bytes)
        self.arena_bytes = max(self.arena_bytes, inference.arena_bytes)
        self.retries += inference.retries
        self.resets += inference.resets
        self.sent_bytes += inference.sent_bytes
        self.wire_bytes += inference.wire_bytes
        byte_s = BITS_PER_BYTE / inference.baud
        self.line_s += graph.image_bytes * byte_s
        self.sent_s += inference.sent_bytes * byte_s
        self.baud = inference.baud
        self.seconds += inference.seconds
        self.waited_s += inference.waited_s
        if inference.port:
            self.shares.setdefault(inference.port, Share()).add(inference)
        self.images += 1

    def _classify(self, said: list[int], label: int) -> bool:
        """Count an image whose likeliest classes are `said`; say whether it is in a wrong one."""
        self.labelled += 1
        self.correct += said[0] == label
        self.correct5 += label in said
        row = self.confusion.setdefault(label, {})
        row[said[0]] = row.get(said[0], 0) + 1
        return said[0] != label

    def _note(
        self,
        graph: Graph,
        expected: Expected,
        got: Sequence[Int8Array],
        label: int | None,
        is_wrong: bool,
    ) -> None:
        """Remember the image where it is worth a look."""
        gap = compare(expected, got)
        self.exact += gap.is_exact
        two = np.sort(got[-1])[-2:].astype(int)
        margin = int(two[-1] - two[0])
        worst = self.unsure[-1].margin_lsb if len(self.unsure) == MAX_EXAMPLES else _NO_MARGIN
        if gap.is_exact and margin >= worst and not (is_wrong and len(self.wrong) < MAX_EXAMPLES):
            return
        tensor = graph.tensors[graph.output]
        note = Note(
            self.images,
            label,
            gap.differing,
            gap.max_abs_lsb,
            margin,
            _tops(expected[0], tensor),
            _tops(got[0], tensor),
            _first_changes(expected, got),
        )
        if not gap.is_exact and len(self.differing) < MAX_DIFFERING:
            self.differing.append(note)
        if is_wrong and len(self.wrong) < MAX_EXAMPLES:
            self.wrong.append(note)
        self.unsure.append(note)
        self.unsure = sorted(self.unsure, key=lambda one: one.margin_lsb)[:MAX_EXAMPLES]

    @property
    def pairs(self) -> dict[tuple[int, int], int]:
        """Images by their class and the board's."""
        rows = self.confusion.items()
        return {(label, said): images for label, row in rows for said, images in row.items()}


def _said(graph: Graph, values: Sequence[NDArray[Any]], judge: Judge) -> list[int]:
    """Return the likeliest classes by the last tensor, of the output alone or its logits too."""
    last, tensor = values[-1], graph.tensors[graph.observed[len(values) - 1]]
    if last.dtype.kind == "i":
        last = (last.astype(np.float64) - tensor.zero_point) * tensor.scale
    return best(judge.scores(last))


def _tops(values: Int8Array, tensor: Tensor) -> tuple[tuple[int, float], ...]:
    reals = (values.astype(np.float64) - tensor.zero_point) * tensor.scale
    return tuple((place, float(reals[place])) for place in best(values))


def _first_changes(
    expected: Expected, got: Sequence[Int8Array]
) -> tuple[tuple[int, int, int, int], ...]:
    """Return the first values that differ: tensor, place, expected, got."""
    found = (
        (which, int(place), int(theirs[place]), int(ours[place]))
        for which, (theirs, ours) in enumerate(zip(expected, got, strict=True))
        for place in np.flatnonzero(theirs != ours)[:TOP]
    )
    return tuple(islice(found, TOP))
