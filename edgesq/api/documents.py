"""What `plan`, `inspect` and `targets` show, as records: `--json FILE`, or `-`.

Keys stay as they are within a `schema`; later ones may be added. Sizes are bytes, shapes
[height, width, channels], and null stands for what is not known or has no limit.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from edgesq.builds import ExportReport
from edgesq.flash import FOR_BUILDS, Process
from edgesq.graph import Graph
from edgesq.kernels.flash import wide_layers
from edgesq.markup import Table, shown_html
from edgesq.plan import Candidate, Fit, FlashParts, Plan, flash_parts, needs
from edgesq.plan.reading import in_ram_bytes
from edgesq.plan.usage import OperatorUse, operator_uses
from edgesq.project import Sizes, estimate, estimate_plan
from edgesq.project.estimate import Estimate
from edgesq.targets import Target

SCHEMA = 2

_MAX_ITEMS = 6
"""Blocks that a short text names."""


@dataclass(frozen=True)
class Item:
    """One block of an arena.

    Attributes:
        name: of the layer, or what the block is for.
        bytes: of it.
    """

    name: str
    bytes: int


@dataclass(frozen=True)
class Peak:
    """Where an arena is fullest.

    Attributes:
        step: number of that step.
        steps: in all.
        items: blocks in use then, the largest first.
    """

    step: int
    steps: int
    items: tuple[Item, ...]


@dataclass(frozen=True, repr=False)
class Planned:
    """A plan.

    Attributes:
        arena_bytes: of RAM for activations.
        peak: where the arena is fullest.
        operators: in the order in which they run.
    """

    arena_bytes: int
    peak: Peak
    operators: tuple[OperatorUse, ...]

    @classmethod
    def of(cls, graph: Graph, plan: Plan) -> "Planned":
        """Return what a plan takes."""
        step, items = plan.peak()
        largest_first = sorted(items, key=lambda item: -item.bytes)
        shown = tuple(Item(item.name, item.bytes) for item in largest_first)
        peak = Peak(step, len(plan.steps), shown)
        return cls(plan.arena_bytes, peak, operator_uses(graph, plan))

    def __repr__(self) -> str:
        held = ", ".join(f"{item.name} {item.bytes:,}" for item in self.peak.items[:_MAX_ITEMS])
        return f"Planned({len(self.operators)} operators, arena {self.arena_bytes:,} B: {held})"

    def _repr_html_(self) -> str:
        fullest = tuple((item.name, f"{item.bytes:,}") for item in self.peak.items)
        where = f"fullest at step {self.peak.step} of {self.peak.steps}"
        return shown_html(self.table, Table(where, ("block",), ("bytes",), fullest))

    @property
    def table(self) -> Table:
        """The operators."""
        rows = tuple(
            (
                " > ".join(row.kinds),
                " > ".join(row.layers),
                "x".join(map(str, row.output)),
                str(row.band_rows),
                str(row.ring_rows),
                "shared" if row.ring_bytes is None else f"{row.ring_bytes:,}",
                f"{row.macs:,}",
                f"{row.weights_bytes:,}",
            )
            for row in self.operators
        )
        return Table(
            "operators, in bands of rows",
            ("operator", "layer"),
            ("output", "band", "rows kept", "ring bytes", "MACs", "weights"),
            rows,
        )


@dataclass(frozen=True, kw_only=True)
class InspectDocument:
    """What `edgesq inspect` shows.

    Attributes:
        schema: version of this shape.
        report: the build's report.json.
        plan: made again of the model, not believed; None where TensorFlow Lite Micro computes.
    """

    schema: int = SCHEMA
    report: ExportReport
    plan: Planned | None

    @classmethod
    def of(cls, report: ExportReport, plan: Planned | None) -> Self:
        """Return what is shown of a build; of the arena the plan is believed, not the report."""
        if plan is not None:
            firmware = replace(report.firmware, arena_bytes=plan.arena_bytes)
            report = replace(report, firmware=firmware)
        return cls(report=report, plan=plan)


@dataclass(frozen=True)
class Need:
    """What an image takes of a memory.

    Attributes:
        needed_bytes: by the linker, or at most.
        there_bytes: of the board; None where there is no limit.
    """

    needed_bytes: int
    there_bytes: int | None


@dataclass(frozen=True)
class WideLayer:
    """A layer whose weights take two bytes each.

    Attributes:
        layer: its name.
        more_bytes: than with one byte per weight.
        why: in words.
    """

    layer: str
    more_bytes: int
    why: str


@dataclass(frozen=True)
class CurvePoint:
    """A plan with another RAM: below bands of one row something is fused, or held whole.

    Attributes:
        band_rows: of all operators that are not fused; None for whole maps.
        fused_operators: that run strip by strip, in chains.
        whole_maps: that are complete before anything reads them.
        arena_bytes: of that plan.
        instructions_estimated: per image.
    """

    band_rows: int | None
    fused_operators: int
    whole_maps: int
    arena_bytes: int
    instructions_estimated: int


@dataclass(frozen=True, kw_only=True)
class PlanDocument:
    """What `edgesq plan` shows.

    Attributes:
        schema: version of this shape.
        model: its file; "demo" for the bundled one.
        model_sha256: of the .tflite.
        target: the board.
        kernels: kernel family.
        estimated: what an image takes.
        plan: the plan.
        wide_layers: layers whose weights take two bytes each.
        is_compiled: whether `flash` and `ram` are the linker's; else they are upper bounds.
        flash: of the whole image.
        flash_parts: what that consists of, upper bounds.
        ram: of the whole image.
        in_ram_operators: those whose weights and tables start-up copies to RAM.
        in_ram_bytes: what these take there, at most.
        curve: other plans, from the least RAM to whole maps.
    """

    schema: int = SCHEMA
    model: str
    model_sha256: str
    target: str
    kernels: str
    estimated: Estimate
    plan: Planned
    wide_layers: tuple[WideLayer, ...]
    is_compiled: bool
    flash: Need
    flash_parts: FlashParts
    ram: Need
    in_ram_operators: int
    in_ram_bytes: int
    curve: tuple[CurvePoint, ...]


def plan_document(
    graph: Graph,
    model: Path | None,
    target: Target,
    chosen: Candidate,
    sizes: Sizes | None,
    candidates: list[Candidate],
) -> PlanDocument:
    """Return what `edgesq plan` shows.

    Args:
        graph: the model.
        model: its file; None for the bundled one.
        target: the board.
        chosen: the plan.
        sizes: by the linker; None where it was not compiled: then upper bounds stand for them.
        candidates: from the least RAM to whole maps.
    """
    bounds = needs(graph, chosen.plan, target)
    flash, ram = (sizes.flash_bytes, sizes.ram_bytes) if sizes else (bounds["flash"], bounds["ram"])
    return PlanDocument(
        model="demo" if model is None else str(model),
        model_sha256=graph.sha256,
        target=target.name,
        kernels=target.kernels,
        estimated=estimate_plan(graph, chosen, target),
        plan=Planned.of(graph, chosen.plan),
        wide_layers=tuple(
            WideLayer(layer.name, layer.bytes, layer.why)
            for layer in wide_layers(graph, chosen.plan.ops, target.kernels)
        ),
        is_compiled=sizes is not None,
        flash=Need(flash, there_bytes(target, "flash")),
        flash_parts=flash_parts(graph, chosen.plan, target),
        ram=Need(ram, there_bytes(target, "ram")),
        in_ram_operators=len(chosen.plan.in_ram),
        in_ram_bytes=in_ram_bytes(graph, chosen.plan, target.kernels),
        curve=tuple(
            CurvePoint(
                None if one is candidates[-1] else max(one.bands.by_height.values(), default=1),
                sum(len(fusion.outputs) for fusion in one.bands.fused or ()),
                len(one.bands.whole or ()),
                one.plan.arena_bytes,
                estimate(one.instructions, target).instructions,
            )
            for one in candidates
        ),
    )


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        name: of the target.
        cpu: "cortex-m7" and the like, "host", or "any".
        description: one line for people.
        kernels: kernel family.
        state: "run" where the firmware was run here, in an emulator or as a process; "built" where
            it only was compiled; "library" where there is no port.
        clock_hz: core clock in hertz; 0 where it is not known.
        flash_bytes: None where there is no limit.
        ram_bytes: None where there is no limit.
        runners: what starts or programs it, best first.
    """

    name: str
    cpu: str
    description: str
    kernels: str
    state: str
    clock_hz: int
    flash_bytes: int | None
    ram_bytes: int | None
    runners: tuple[str, ...]

    @classmethod
    def of(cls, target: Target) -> "Board":
        """Return what is shown of a target."""
        ran = any(isinstance(FOR_BUILDS[name], Process) for name in target.runners)
        return cls(
            target.name,
            target.cpu,
            target.description,
            target.kernels,
            "library" if target.is_library else "run" if ran else "built",
            target.clock_hz,
            there_bytes(target, "flash"),
            there_bytes(target, "ram"),
            target.runners,
        )


@dataclass(frozen=True, kw_only=True)
class TargetsDocument:
    """What `edgesq targets` shows.

    Attributes:
        schema: version of this shape.
        targets: by name.
    """

    schema: int = SCHEMA
    targets: tuple[Board, ...]


@dataclass(frozen=True, kw_only=True)
class FitsDocument:
    """What `edgesq targets --fits` shows.

    Attributes:
        schema: version of this shape.
        model: its file.
        targets: by name.
    """

    schema: int = SCHEMA
    model: str
    targets: tuple[Fit, ...]


def there_bytes(target: Target, memory: str) -> int | None:
    """Return the size of a board's memory, None where it has no limit."""
    region = target.region(memory)
    return None if region is None else region.bytes
