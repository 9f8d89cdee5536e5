"""What `plan`, `inspect` and `targets` show, as JSON documents: `--json FILE`, or `-`.

Keys stay as they are within a `schema`; later ones may be added. Sizes are bytes, shapes
[height, width, channels], and null stands for what is not known or has no limit.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesq.graph import Graph
from edgesq.kernels.flash import wide_layers
from edgesq.plan import Candidate, Plan, needs
from edgesq.project import Sizes, estimate
from edgesq.records import plain
from edgesq.targets import Target

if TYPE_CHECKING:
    from edgesq.export import ExportReport

SCHEMA = 1


def plan_document(
    graph: Graph,
    model: Path | None,
    target: Target,
    chosen: Candidate,
    sizes: Sizes | None,
    candidates: list[Candidate],
) -> dict[str, Any]:
    """Return what `edgesq plan` shows.

    Args:
        graph: the model.
        model: its file; None for the bundled one.
        target: the board.
        chosen: the plan.
        sizes: by the linker; None where it was not compiled: then upper bounds stand for them.
        candidates: from bands of one row to whole maps.
    """
    bounds = needs(graph, chosen.plan, target)
    estimated = estimate(chosen.instructions, target)
    needed = {"flash": sizes.flash_bytes, "ram": sizes.ram_bytes} if sizes else bounds
    return {
        "schema": SCHEMA,
        "model": "demo" if model is None else str(model),
        "model_sha256": graph.sha256,
        "target": target.name,
        "kernels": target.kernels,
        "instructions_estimated": estimated.instructions,
        "instructions_doubt": estimated.doubt,
        **plan_facts(graph, chosen.plan),
        "wide_layers": [
            {"layer": layer.name, "more_bytes": layer.bytes, "why": layer.why}
            for layer in wide_layers(graph, chosen.plan.ops, target.kernels)
        ],
        "is_compiled": sizes is not None,
        "image": {
            memory: {"needed_bytes": needed[memory], "there_bytes": there_bytes(target, memory)}
            for memory in ("flash", "ram")
        },
        "curve": [
            {
                "band_rows": None
                if one is candidates[-1]
                else max(one.bands.by_height.values(), default=1),
                "arena_bytes": one.plan.arena_bytes,
                "instructions_estimated": estimate(one.instructions, target).instructions,
            }
            for one in candidates
        ],
    }


def plan_facts(graph: Graph, plan: Plan) -> dict[str, Any]:
    """Return arena, its fullest step, and the operators of a plan."""
    step, items = plan.peak()
    return {
        "arena_bytes": plan.arena_bytes,
        "peak": {
            "step": step,
            "steps": len(plan.steps),
            "items": [
                {"name": item.name, "bytes": item.bytes}
                for item in sorted(items, key=lambda item: -item.bytes)
            ],
        },
        "operators": _operators(graph, plan),
    }


def _operators(graph: Graph, plan: Plan) -> list[dict[str, Any]]:
    """Return the operators of a plan; `ring_bytes` is null where an earlier one has the ring."""
    rows = []
    shown: set[int] = set()
    for item in plan.ops:
        slot = plan.slots[item.output]
        assert slot is not None
        ring = plan.rings[slot.storage]
        rows.append(
            {
                "kinds": [op.kind for op in item.ops],
                "layers": [op.name for op in item.ops],
                "output": [slot.height, slot.width, slot.channels],
                "band_rows": item.band_units,
                "ring_rows": ring.ring_rows,
                "ring_bytes": None if slot.storage in shown else ring.bytes,
                "macs": sum(graph.macs(op) for op in item.ops),
                "weights_bytes": sum(graph.op_weights_bytes(op) for op in item.ops),
            }
        )
        shown.add(slot.storage)
    return rows


def inspect_document(report: "ExportReport", graph: Graph, plan: Plan | None) -> dict[str, Any]:
    """Return what `edgesq inspect` shows; of the arena the plan is believed, not the report.

    Args:
        report: the build's.
        graph: its model.
        plan: of edgesq's runtime; None where TensorFlow Lite Micro computes.
    """
    model, sizes = report.model, report.sizes
    planned = {"peak": None, "operators": None} if plan is None else plan_facts(graph, plan)
    return {
        "schema": SCHEMA,
        "model": model.name,
        "model_sha256": model.sha256,
        "target": report.firmware.target,
        "kernels": report.firmware.kernels,
        "flash_bytes": sizes and sizes.flash_bytes,
        "ram_bytes": sizes and sizes.ram_bytes,
        "weights_bytes": model.weights_bytes,
        "arena_bytes": report.firmware.arena_bytes,
        "macs": model.macs,
        "parity_images": report.parity.images,
        "parity": plain(report.parity.rows),
        **planned,
    }


def target_facts(target: Target) -> dict[str, Any]:
    """Return what `edgesq targets` shows of a board.

    `state` is "run" where the firmware was run here, in an emulator or as a process, "built" where
    it only was compiled, "library" where there is no port.
    """
    ran = target.is_host or target.is_emulated
    return {
        "name": target.name,
        "cpu": target.cpu,
        "description": target.description,
        "kernels": target.kernels,
        "state": "library" if target.is_library else "run" if ran else "built",
        "clock_hz": target.clock_hz,
        "flash_bytes": there_bytes(target, "flash"),
        "ram_bytes": there_bytes(target, "ram"),
        "runners": list(target.runners),
    }


def fit_facts(graph: Graph, plan: Plan, target: Target) -> dict[str, Any]:
    """Return whether a plan fits a board, and by how much; null where there is no limit."""
    needed = needs(graph, plan, target)
    there = {memory: there_bytes(target, memory) for memory in ("flash", "ram")}
    spare = {
        memory: None if size is None else size - needed[memory] for memory, size in there.items()
    }
    return {
        "name": target.name,
        "fits": all(left is None or left >= 0 for left in spare.values()),
        "flash_to_spare_bytes": spare["flash"],
        "ram_to_spare_bytes": spare["ram"],
    }


def there_bytes(target: Target, memory: str) -> int | None:
    """Return the size of a board's memory, None where it has no limit."""
    region = target.region(memory)
    return None if region is None else region.bytes
