"""The network: a row for each operator, and lines along which its maps go."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgesq.graph import Graph
from edgesq.operators import Convolution, Op
from edgesq.pages.picture import Drawing, Picture, shortened

MAX_ROWS = 400
"""Operators drawn; a network with more ends with a line that says so."""

_ROW, _LANE, _LEFT, _TOP = 26.0, 16.0, 18.0, 44.0
_CHAR, _CAPITAL = 6.8, 8.3
_MAX_NAME, _MAX_LANES = 40, 24


@dataclass
class _Lanes:
    """Which map goes along which lane; a lane that is free is taken again.

    Attributes:
        maps: tensor and row it comes from, by lane; None where it is free.
        waiting: how many operators have yet to read each tensor.
    """

    waiting: dict[int, int]
    maps: list[tuple[int, int] | None] = field(default_factory=list)

    def of(self, tensor: int) -> int:
        return next(lane for lane, one in enumerate(self.maps) if one and one[0] == tensor)

    def put(self, tensor: int, row: int, wanted: int | None) -> int:
        """Let a map go along a lane from a row on; return the lane."""
        free = [lane for lane, one in enumerate(self.maps) if one is None]
        if wanted is not None and self.maps[wanted] is None:
            lane = wanted
        elif free:
            lane = free[0]
        else:
            lane = len(self.maps)
            self.maps.append(None)
        self.maps[lane] = (tensor, row) if self.waiting.get(tensor) else None
        return lane

    def read(self, tensor: int) -> None:
        """Let one reader have a map; after the last one its lane is free."""
        lane = self.of(tensor)
        self.waiting[tensor] -= 1
        if not self.waiting[tensor]:
            self.maps[lane] = None


def network(graph: Graph, notes: Mapping[int, str] | None = None) -> Picture:
    """Return a model's operators from the image to the output, branches side by side.

    Args:
        graph: the model.
        notes: what to write beside an operator, by its number in the graph.
    """
    ops = graph.ops[:MAX_ROWS]
    more = len(graph.ops) - len(ops)
    waiting: dict[int, int] = {}
    for op in ops:
        for tensor in op.inputs:
            waiting[tensor] = waiting.get(tensor, 0) + 1
    layout = _layout(graph, ops, waiting)
    lanes = min(max((row.lane for row in layout), default=0) + 1, _MAX_LANES)
    texts = [_texts(graph, row, notes or {}) for row in layout]
    columns = _columns(lanes, texts)
    height = _TOP + _ROW * (len(layout) + (more > 0)) + 4
    label = f"the network: {len(graph.ops)} operators from the image to the output"
    drawing = Drawing(columns[-1], height, label)
    for at, title in zip(columns, ("layer", "operator", "output", "kernel"), strict=False):
        drawing.text(at, 22, title)
    for number in range(1, len(layout), 2):
        drawing.rect(0, _TOP + _ROW * number, columns[-1], _ROW, "stripe")
    for row in layout:
        for lane, start, target in row.edges:
            _edge(drawing, lane, start, row.lane, target)
    for number, (row, words) in enumerate(zip(layout, texts, strict=True)):
        x, y = _place(row.lane, number)
        drawing.circle(x, y, 5.5, row.look, words[0])
        for at, text in zip(columns, words, strict=False):
            kind = "ink" if at == columns[0] else ""
            drawing.text(at, y + 4, shortened(text, _MAX_NAME), kind)
    if more:
        drawing.text(columns[0], _place(0, len(layout))[1] + 4, f"and {more:,} more operators")
    return drawing.picture()


@dataclass(frozen=True)
class _Row:
    """A row: an input, or an operator with its number.

    Attributes:
        op: None for an input.
        index: of the operator.
        lane: its node's.
        edges: lane, row it comes from, and this row, of each map that it reads.
        source: the input, where it is none of an operator.
    """

    op: Op | None
    index: int
    lane: int
    edges: tuple[tuple[int, int, int], ...] = ()
    source: int = -1

    @property
    def look(self) -> str:
        """The class of its node."""
        if self.op is None:
            return "four"
        if isinstance(self.op, Convolution):
            return "one"
        return "two" if len(self.op.inputs) < 2 else "three"


def _layout(graph: Graph, ops: tuple[Op, ...], waiting: dict[int, int]) -> list[_Row]:
    lanes = _Lanes(dict(waiting))
    rows = [
        _Row(None, -1, lanes.put(tensor, row, None), source=tensor)
        for row, tensor in enumerate(graph.inputs)
    ]
    for index, op in enumerate(ops):
        row = index + len(graph.inputs)
        edges = []
        for tensor in op.inputs:
            lane = lanes.of(tensor)
            known = lanes.maps[lane]
            assert known is not None
            edges.append((lane, known[1], row))
            lanes.read(tensor)
        wanted = min((lane for lane, _, _ in edges), default=None)
        lane = lanes.put(op.output, row, wanted)
        rows.append(_Row(op, index, lane, tuple(edges)))
    return rows


def _edge(drawing: Drawing, lane: int, start: int, node: int, row: int) -> None:
    """Draw the way of a map: down its lane, and in the last row over to the node."""
    x, y = _place(lane, start)
    end_x, end_y = _place(node, row)
    turn = end_y - _ROW
    if x == end_x:
        drawing.path(f"M{x} {y}V{end_y}", "edge")
    else:
        middle = (turn + end_y) / 2
        drawing.path(f"M{x} {y}V{turn}C{x} {middle} {end_x} {middle} {end_x} {end_y}", "edge")


def _place(lane: int, row: int) -> tuple[float, float]:
    return _LEFT + _LANE * min(lane, _MAX_LANES - 1), _TOP + _ROW * (row + 0.5)


def _texts(graph: Graph, row: _Row, notes: Mapping[int, str]) -> tuple[str, str, str, str]:
    tensor = row.source if row.op is None else row.op.output
    shape = " x ".join(map(str, graph.tensors[tensor].hwc))
    if row.op is None:
        return "image" if tensor == graph.input else "beside it", "input", shape, ""
    return row.op.name, row.op.kind, shape, notes.get(row.index, "")


def _columns(lanes: int, texts: list[tuple[str, str, str, str]]) -> list[float]:
    """Return where each column of text begins, and where the last one ends."""
    at = _LEFT + _LANE * lanes + 8
    columns = [at]
    for column in range(4):
        at += 16 + max(60, *(_width(shortened(words[column], _MAX_NAME)) for words in texts))
        columns.append(at)
    return columns


def _width(text: str) -> float:
    """Return about how wide a text is, in pixels."""
    return sum(_CAPITAL if character.isupper() else _CHAR for character in text)
