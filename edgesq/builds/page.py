"""The export as one HTML page that needs nothing but itself.

It is made of a report and the model alone, so that it can be made again of any build.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edgesq.builds.curve import loss_picture, plan_picture
from edgesq.builds.facts import CompressionFacts, ExportReport
from edgesq.builds.operators import Operator
from edgesq.builds.runtime import target_of
from edgesq.calibrate import AuditRow, Shown
from edgesq.graph import Graph
from edgesq.kernels.kernel import Form
from edgesq.pages import Picture, arena_map, at_peak, network, peak_map, peak_words
from edgesq.pages.memory import Block
from edgesq.pages.render import render
from edgesq.plan import Candidate, Fit, curve, fits, operator_costs
from edgesq.plan.reading import in_ram_bytes
from edgesq.plan.usage import OperatorUse, operator_uses
from edgesq.project import Estimate, Time, board_time, estimate, estimate_plan
from edgesq.targets import Target, list_targets

MAX_CLASSES, MAX_BLOCKS, MAX_OPERATORS, MAX_NOTES, MAX_TEXT = 200, 10, 300, 100, 600
"""Class names, blocks at the peak, operators and warnings on a page, and characters of a warning: a
build may be anybody's, and its page stays small."""


@dataclass(frozen=True)
class Share:
    """A part of a whole.

    Attributes:
        name: of the part.
        bytes: that it takes.
        look: class of its colour.
    """

    name: str
    bytes: int
    look: str


@dataclass(frozen=True)
class Row:
    """An operator of the runtime's table.

    Attributes:
        use: what it takes of the arena.
        kernel: which kernel runs it, in a word or two.
        weights_bytes: of flash.
        tables_bytes: of flash, at most.
        instructions: per image, by the estimate or by the board.
    """

    use: OperatorUse
    kernel: str
    weights_bytes: int
    tables_bytes: int
    instructions: int


@dataclass(frozen=True)
class Planned:
    """What a page shows of a plan.

    Attributes:
        rows: operator by operator.
        is_measured: whether instructions were counted by a board.
        estimate: instructions of the whole.
        time: of those instructions that are shown; None on a core of which nothing is known.
        words: where the arena is fullest.
        step: that step.
        blocks: then in use, the largest first.
        arena, peak, curve: pictures.
    """

    rows: tuple[Row, ...]
    is_measured: bool
    estimate: Estimate
    time: Time | None
    words: str
    step: int
    blocks: tuple[Block, ...]
    arena: Picture
    peak: Picture
    curve: Picture


@dataclass(frozen=True)
class Board:
    """A board and whether the model fits it.

    Attributes:
        fit: by how much.
        target: the board.
        flash_bytes, ram_bytes: needed; None where there is no limit.
    """

    fit: Fit
    target: Target
    flash_bytes: int | None
    ram_bytes: int | None


@dataclass(frozen=True)
class Cell:
    """A calibration image.

    Attributes:
        shown: which.
        picture: data: URL.
        checks: of the audit that it fails.
    """

    shown: Shown
    picture: str
    checks: tuple[str, ...]


def export_page(
    report: ExportReport,
    graph: Graph,
    chosen: Candidate | None,
    candidates: Sequence[Candidate] = (),
    cells: Sequence[str] = (),
    measured: Sequence[int] | None = None,
) -> str:
    """Return the page of a build.

    Args:
        report: of the build.
        graph: the model.
        chosen: its plan; None where its runtime plans for itself.
        candidates: plans to compare it with; empty for `curve`'s.
        cells: pictures of `report.calibration.shown`, data: URLs; empty without them.
        measured: instructions per image of each operator, as a board counted them; None for the
            estimate.
    """
    target = target_of(report)
    planned, copied = None, 0
    if chosen is not None:
        kernels, goal = report.firmware.kernels, chosen.request.goal
        candidates = candidates or curve(graph, kernels, chosen.tried, goal)
        planned = _planned(report, graph, chosen, candidates, target, measured)
        copied = in_ram_bytes(graph, chosen.plan, kernels)
    return render(
        "edgesq.builds",
        "report.html.j2",
        report=report,
        target=target,
        graph=graph,
        planned=planned,
        network=network(graph, _kernels(report.firmware.operators)),
        ram=_ram(report, target, copied),
        flash=_flash(report, planned),
        boards=_boards(graph) if planned else [],
        losses=_losses(report.compression),
        cells=_cells(report.calibration.audit, report.calibration.shown, cells),
        max_classes=MAX_CLASSES,
        max_operators=MAX_OPERATORS,
        max_notes=MAX_NOTES,
        max_text=MAX_TEXT,
    )


def _planned(
    report: ExportReport,
    graph: Graph,
    chosen: Candidate,
    candidates: Sequence[Candidate],
    target: Target,
    measured: Sequence[int] | None,
) -> Planned:
    plan = chosen.plan
    costs = operator_costs(graph, plan, report.firmware.kernels)
    is_measured = measured is not None and len(measured) == len(costs)
    counts = (
        measured
        if measured is not None and is_measured
        else [estimate(cost.instructions, target).instructions for cost in costs]
    )
    uses = operator_uses(graph, plan)
    kernels = [_kernel(operator) for operator in report.firmware.operators]
    names = kernels if len(kernels) == len(uses) else [""] * len(uses)
    rows = tuple(
        Row(use, name, cost.weights_bytes, cost.tables_bytes, count)
        for use, name, cost, count in zip(uses, names, costs, counts, strict=True)
    )
    step, blocks = at_peak(plan)
    estimated = estimate_plan(graph, chosen, target)
    return Planned(
        rows,
        is_measured,
        estimated,
        board_time(sum(counts), target, estimated.flash_reads) if is_measured else estimated.time,
        peak_words(plan),
        step,
        blocks[:MAX_BLOCKS],
        arena_map(plan),
        peak_map(plan),
        plan_picture(candidates, chosen, report.request.optimize),
    )


def _losses(facts: CompressionFacts | None) -> Picture | None:
    if facts is None or facts.chosen is None or not facts.curve:
        return None
    return loss_picture(facts.curve[:MAX_OPERATORS], facts.chosen.image_bytes)


def _kernel(operator: Operator) -> str:
    """Return which kernel runs an operator: its family, and what is special."""
    form = "" if operator.form is Form.DIRECT else f" {operator.form.value}"
    return f"{operator.family}{form}{', coded weights' if operator.coded else ''}"


def _kernels(operators: Sequence[Operator]) -> dict[int, str]:
    """Return which kernel runs each of the graph's operators."""
    return {index: _kernel(operator) for operator in operators for index in operator.ops}


def _ram(report: ExportReport, target: Target, copied: int) -> list[Share]:
    """Return what the firmware's RAM is for; empty where it was not compiled."""
    if report.sizes is None:
        return []
    arena, stack = report.firmware.arena_bytes, target.stack_bytes
    rest = max(report.sizes.ram_bytes - arena - stack - copied, 0)
    weights = [Share("weights and tables, copied from flash, at most", copied, "four")]
    return [
        Share("arena: rows, sums, working memory", arena, "one"),
        Share("stack, as reserved", stack, "two"),
        Share("link buffers and variables", rest, "three"),
        *(weights if copied else []),
    ]


def _flash(report: ExportReport, planned: Planned | None) -> list[Share]:
    """Return what the firmware's flash is for; empty where it was not compiled."""
    if report.sizes is None or planned is None:
        return []
    weights = sum(row.weights_bytes for row in planned.rows)
    tables = sum(row.tables_bytes for row in planned.rows)
    rest = max(report.sizes.flash_bytes - weights - tables, 0)
    return [
        Share("weights and biases", weights, "one"),
        Share("tables and parameters, at most", tables, "two"),
        Share("code, link and the schedule", rest, "three"),
    ]


def _boards(graph: Graph) -> list[Board]:
    """Return the boards, those that the model fits first, the smallest first."""
    known = {target.name: target for target in list_targets()}
    boards = []
    for fit in fits(graph):
        target = known[fit.name]
        spare = {"flash": fit.flash_to_spare_bytes, "ram": fit.ram_to_spare_bytes}
        needed = {}
        for memory, left in spare.items():
            region = target.region(memory)
            needed[memory] = None if region is None or left is None else region.bytes - left
        boards.append(Board(fit, target, needed["flash"], needed["ram"]))

    def place(board: Board) -> tuple[bool, bool, int]:
        ram = board.target.region("ram")
        return not board.fit.fits, not board.fit.may_fit, 1 << 62 if ram is None else ram.bytes

    return sorted(boards, key=place)


def _cells(audit: Sequence[AuditRow], shown: Sequence[Shown], cells: Sequence[str]) -> list[Cell]:
    if len(shown) != len(cells):
        return []
    return [
        Cell(one, picture, tuple(row.check for row in audit if one.number in row.images))
        for one, picture in zip(shown, cells, strict=True)
    ]
