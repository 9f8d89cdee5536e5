"""What a candidate takes on the board, and by how much it misses: before a minute of training."""

import contextlib
from dataclasses import replace

from edgesq.choices import Goal
from edgesq.errors import EdgesqError, FitError, TargetError
from edgesq.graph import Graph
from edgesq.plan import (
    Bands,
    Candidate,
    PlanRequest,
    judge,
    least_flash_bytes,
    needs,
    plan_for,
)
from edgesq.project import estimate_plan, measure
from edgesq.search.records import Limits, Needed
from edgesq.targets import Target

_US_PER_MS = 1_000


def planned(graph: Graph, board: Target, limits: Limits) -> tuple[Needed, Candidate]:
    """Return what a network takes, by an export's plan.

    One that cannot fit has the plan with bands of one row: a search for it would tell no more.
    """
    chosen = None
    if graph.weights_bytes <= bounds(board, limits).get("flash", graph.weights_bytes):
        with contextlib.suppress(FitError):
            chosen = plan_for(graph, board, Goal.BALANCED, limits.ram_bytes)
    if chosen is None:
        request = PlanRequest(board.kernels, Goal.RAM, growth_bytes=0)
        chosen = judge(graph, request, Bands())
    needed = needs(graph, chosen.plan, board)
    estimated = estimate_plan(graph, chosen, board)
    ms = None if estimated.time is None else estimated.time.us / _US_PER_MS
    taken = Needed(
        needed["ram"], needed["flash"], chosen.plan.arena_bytes, estimated.instructions, ms
    )
    return taken, chosen


def settled(
    needed: Needed, graph: Graph, chosen: Candidate, board: Target, limits: Limits
) -> Needed:
    """Return the linker's figures where the bounds cannot tell whether a network fits.

    Of flash the weights are certain; tables and code, which are bounds, may come out smaller.
    """
    beyond = {name for name, part in over(needed, board, limits).items() if part > 0}
    if beyond != {"flash"}:
        return needed
    least = least_flash_bytes(graph, chosen.plan, board)
    return (
        needed if least > bounds(board, limits)["flash"] else linked(needed, graph, chosen, board)
    )


def linked(needed: Needed, graph: Graph, chosen: Candidate, board: Target) -> Needed:
    """Return what the linker says; as it was where nothing is compiled, or the board overflows."""
    try:
        sizes = measure(graph, chosen.plan, board)
    except FitError:
        return needed
    if sizes is None:
        return needed
    return replace(needed, ram_bytes=sizes.ram_bytes, flash_bytes=sizes.flash_bytes, is_linked=True)


def over(needed: Needed, board: Target, limits: Limits) -> dict[str, float]:
    """Return by limit the part by which it is exceeded; 0 or less where it is not.

    "ram" and "flash" are there where board or user set a limit, "ms" where the user does.
    """
    there = bounds(board, limits)
    taken = {"ram": needed.ram_bytes, "flash": needed.flash_bytes, "ms": needed.ms}
    return {
        name: value / most - 1
        for name, most in there.items()
        for value in [taken[name]]
        if value is not None
    }


def bounds(board: Target, limits: Limits) -> dict[str, float]:
    """Return what there is of each: the board's, or what the user allows of it."""
    asked = {"ram": limits.ram_bytes, "flash": limits.flash_bytes, "ms": limits.ms}
    found = {}
    for name, most in asked.items():
        region = board.region(name)
        there = [value for value in (most, region.bytes if region else None) if value is not None]
        if there:
            found[name] = float(min(there))
    return found


def misses(needed: Needed, parts: dict[str, float], board: Target, limits: Limits) -> str:
    """Say in words which limits a candidate exceeds, and by what."""
    taken = {"ram": needed.ram_bytes, "flash": needed.flash_bytes, "ms": needed.ms}
    said = []
    for name, most in bounds(board, limits).items():
        if parts.get(name, 0) > 0:
            form, unit = (",.1f", "ms") if name == "ms" else (",.0f", f"B of {name}")
            said.append(f"{taken[name]:{form}} {unit}, {most:{form}} allowed")
    return " and ".join(said)


def check_limits(board: Target, limits: Limits) -> None:
    """Refuse limits that mean nothing on a board.

    Raises:
        EdgesqError: they do.
    """
    if not board.is_planned:
        raise TargetError("its runtime plans for itself", where=board.name, hint="another target")
    if limits.ms is not None and not board.clock_hz:
        raise EdgesqError(
            "the time per image is not known there", where=board.name, hint="leave out --ms-limit"
        )
