"""Refuse a model that cannot fit its target before anything is compiled."""

from edgesq.errors import FitError
from edgesq.graph import Graph
from edgesq.plan import Plan
from edgesq.targets import Target

FIRMWARE_FLASH_BYTES = 8_192
"""Code, tables and schedule apart from weights, at most; held by a test on every board."""

FIRMWARE_RAM_BYTES = 3_072
"""Link buffers and variables apart from arena and stack, at most; held by a test likewise."""

_BYTES_PER_CHANNEL = 5
"""A convolution's requantization multiplier (4) and shift (1)."""


def check_fit(graph: Graph, plan: Plan, target: Target) -> None:
    """Compare what a model needs with what a target has.

    Raises:
        FitError: it does not fit; says bytes needed, bytes there, where the peak is, what to try.
    """
    channels = sum(
        tensor.shape[0]
        for tensor in graph.tensors
        if tensor.data is not None and tensor.data.ndim == 4
    )
    flash = graph.weights_bytes + channels * _BYTES_PER_CHANNEL + FIRMWARE_FLASH_BYTES
    ram = plan.arena_bytes + target.stack_bytes + FIRMWARE_RAM_BYTES
    _, items = plan.peak()
    largest = max(items, key=lambda item: item.bytes)
    _check("flash", flash, target, f"{graph.weights_bytes} of them are weights", "fewer channels")
    peak = f"{plan.arena_bytes} of them are the arena, most of it {largest.name}"
    _check("ram", ram, target, peak, "a smaller input")


def _check(memory: str, needed: int, target: Target, what: str, remedy: str) -> None:
    region = target.region(memory)
    if region and needed > region.bytes:
        raise FitError(
            f"the model needs {needed} B of {memory} ({what}), the board has {region.bytes} B",
            where=target.name,
            hint=f"try {remedy}, or a board with more {memory}",
        )
