"""Choose a plan for a target, and refuse a model that cannot fit before anything is compiled."""

import math
from dataclasses import dataclass, replace

from edgesq.choices import Goal
from edgesq.errors import FitError, TargetError
from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.flash import codable, coded_saves_bytes, extra_weights_bytes
from edgesq.kernels.kernel import Form
from edgesq.operators import Conv2D
from edgesq.plan.allocation import Plan
from edgesq.plan.costs import table_bytes
from edgesq.plan.lower import lower
from edgesq.plan.reading import in_ram_bytes, worth_ram
from edgesq.plan.request import Bands, PlanRequest
from edgesq.plan.schedule import coded_steps
from edgesq.plan.search import Candidate, choose
from edgesq.targets import Target

FIRMWARE_FLASH_BYTES = 17_984
"""The code, with every portable kernel, at most; held by a test on every board, whose port may
take more by `port_flash_bytes`."""

DECODER_FLASH_BYTES = 3_072
"""What decoding weights adds, at most; held likewise."""

_SQUARES_FLASH_BYTES = 6_144
"""What Winograd along both sides adds, at most."""

FIRMWARE_RAM_BYTES = 2_048
"""Link buffers and variables apart from arena and stack, at most; held by a test likewise."""

TFLM_FLASH_BYTES = 81_920
"""A firmware around TensorFlow Lite Micro with CMSIS-NN, without the model, about."""

_REMEDIES = {"flash": "fewer channels", "ram": "a smaller input"}

_TRACE_BYTES = 12
"""RAM per operator. Mirror: struct esq_op_trace."""

_SLOT_BYTES = 20
"""On a 32-bit core: struct esq_slot."""


@dataclass(frozen=True)
class FlashParts:
    """What an image's flash consists of, at most.

    Attributes:
        weights_bytes: weights and biases, coded ones as they are coded.
        growth_bytes: what packing adds to them, Winograd's and two bytes per weight among it.
        tables_bytes: requantization, look-ups, parameters, slots and the schedule.
        code_bytes: code, with everything else.
    """

    weights_bytes: int
    growth_bytes: int
    tables_bytes: int
    code_bytes: int

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.least_bytes + self.tables_bytes + self.code_bytes

    @property
    def least_bytes(self) -> int:
        """What is there for certain; of tables and code the linker leaves out what is not used."""
        return self.weights_bytes + self.growth_bytes


def flash_parts(graph: Graph, plan: Plan, target: Target) -> FlashParts:
    """Return upper bounds of what a whole image takes in flash, by what it is for."""
    kernels = target.kernels
    tables = sum(table_bytes(graph, item, kernels) for item in plan.ops)
    slots = sum(slot is not None for slot in plan.slots) * _SLOT_BYTES
    decodes = any(item.kernel.coded for item in plan.ops)
    code = FIRMWARE_FLASH_BYTES + target.port_flash_bytes + FAMILIES[kernels].code_bytes
    if any(item.kernel.form is Form.SQUARES for item in plan.ops):
        code += _SQUARES_FLASH_BYTES
    return FlashParts(
        graph.weights_bytes - coded_saves_bytes(graph, plan.ops, kernels),
        extra_weights_bytes(graph, plan.ops, kernels),
        tables + slots + len(coded_steps(plan.steps)),
        code + (DECODER_FLASH_BYTES if decodes else 0),
    )


def needs(graph: Graph, plan: Plan, target: Target) -> dict[str, int]:
    """Return upper bounds of what a whole image takes, bytes by memory ("flash", "ram")."""
    return {
        "flash": flash_parts(graph, plan, target).bytes,
        "ram": plan.arena_bytes
        + in_ram_bytes(graph, plan, target.kernels)
        + target.stack_bytes
        + _firmware_ram_bytes(graph),
    }


def _firmware_ram_bytes(graph: Graph) -> int:
    """Return what the firmware takes apart from arena and stack."""
    return FIRMWARE_RAM_BYTES + _link_bytes(graph) + len(lower(graph, Bands()).ops) * _TRACE_BYTES


def _link_bytes(graph: Graph) -> int:
    """Return what the link keeps of a model's images: the results of one and a row of one."""
    results = sum(math.prod(graph.tensors[index].stored) for index in graph.observed)
    _, width, pixel_bytes = graph.tensors[graph.input].stored
    return results + width * pixel_bytes


def low_entropy(graph: Graph, kernels: str) -> frozenset[int]:
    """Return the convolutions whose weights are coded: none unless the model was made for that.

    Weights as a quantizer leaves them have seven bits of entropy, of which a code saves little.
    """
    coded = codable(graph, kernels)
    weights = {
        op.output: math.prod(graph.tensors[op.weights].shape)
        for op in graph.ops
        if isinstance(op, Conv2D)
    }
    share = sum(weights[output] for output in coded)
    return coded if 2 * share > sum(weights.values()) else frozenset()


def plan_for(
    graph: Graph,
    target: Target,
    goal: Goal = Goal.BALANCED,
    ram_limit: int | None = None,
    chosen: Candidate | None = None,
) -> Candidate:
    """Choose the plan for a target and check that it fits, as far as is known before it is linked.

    Of flash only upper bounds are known. A model that those refuse and its weights do not is left
    to the linker, by `compile_firmware`; but for a library, which others link.

    Args:
        graph: the model.
        target: the board.
        goal: what the plan is best at.
        ram_limit: RAM in bytes to plan for instead of the board's less its reserve.
        chosen: what this returned for the same with more flash; None for a search.

    Raises:
        TargetError: the target has another runtime.
        FitError: it does not fit; says bytes needed, bytes there, where the peak is, what to try.
    """
    _check_family(target)
    ram = target.region("ram")
    there = ram_limit if ram_limit is not None else ram.bytes if ram else None
    reserve = 0 if ram_limit is not None else target.reserve_bytes
    overhead = target.stack_bytes + _firmware_ram_bytes(graph)
    limit = None if there is None else max(there - reserve - overhead, 0)
    coded = low_entropy(graph, target.kernels)
    request = PlanRequest(target.kernels, goal, limit, 0 if coded else None, coded)
    chosen = chosen or choose(graph, request)
    needed = needs(graph, chosen.plan, target)
    flash = target.region("flash")
    if flash and needed["flash"] > flash.bytes:
        chosen = choose(graph, replace(request, growth_bytes=0))
    chosen = chosen.with_in_ram(_in_ram(graph, chosen.plan, target, goal, limit))
    _check_flash(graph, chosen.plan, target)
    if there is not None:
        _check_ram(graph, chosen.plan, target, there, ram_limit is not None)
    return chosen


def _check_flash(graph: Graph, plan: Plan, target: Target) -> None:
    flash, needed = target.region("flash"), needs(graph, plan, target)["flash"]
    if flash and least_flash_bytes(graph, plan, target) > flash.bytes:
        what = _flash_in_words(graph, plan, target)
        raise too_large("flash", needed, flash.bytes, target, what)


def _check_ram(graph: Graph, plan: Plan, target: Target, there: int, is_limited: bool) -> None:
    needed = needs(graph, plan, target)["ram"]
    if needed <= there:
        return
    _, items = plan.peak()
    largest = max(items, key=lambda item: item.bytes)
    what = f"{plan.arena_bytes} of them are the arena, most of it {largest.name}"
    if is_limited:
        raise FitError(
            f"the model needs {needed} B of ram ({what}), {there} B are allowed",
            where=target.name,
            hint="give a larger --ram-limit",
        )
    raise too_large("ram", needed, there, target, what)


def least_flash_bytes(graph: Graph, plan: Plan, target: Target) -> int:
    """Return the flash from which on a model is refused before it is linked."""
    parts = flash_parts(graph, plan, target)
    return parts.bytes if target.is_library else parts.least_bytes


def _in_ram(
    graph: Graph, plan: Plan, target: Target, goal: Goal, limit: int | None
) -> frozenset[int]:
    """Return the operators whose weights go into what the arena leaves of its limit."""
    room = None if limit is None else limit - plan.arena_bytes
    return worth_ram(graph, plan, target.kernels, goal, target.region("flash"), room)


def _flash_in_words(graph: Graph, plan: Plan, target: Target) -> str:
    growth = flash_parts(graph, plan, target).growth_bytes
    more = f", {growth} more their packing" if growth else ""
    return f"{graph.weights_bytes} of them are weights{more}"


def _check_family(target: Target) -> None:
    if not target.is_planned:
        raise TargetError("its runtime plans for itself", where=target.name, hint="see `export`")
    if target.kernels not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise TargetError(f"key 'kernels' must be one of {known}", where=target.name)


def check_tflm_fits(graph: Graph, target: Target, tflite_bytes: int, arena_bytes: int) -> None:
    """Refuse a model that TensorFlow Lite Micro cannot hold on a board.

    Args:
        graph: the model.
        target: the board.
        tflite_bytes: size of the model, which stays in flash as it is.
        arena_bytes: what its interpreter is given.

    Raises:
        FitError: it does not fit.
    """
    needed = {
        "flash": tflite_bytes + TFLM_FLASH_BYTES,
        "ram": arena_bytes + target.stack_bytes + FIRMWARE_RAM_BYTES + _link_bytes(graph),
    }
    what = {
        "flash": f"{tflite_bytes} of them are the .tflite",
        "ram": f"{arena_bytes} of them are TensorFlow Lite Micro's arena",
    }
    for memory, total in needed.items():
        region = target.region(memory)
        if region is not None and total > region.bytes:
            remedy = "edgesq's own runtime"
            raise too_large(memory, total, region.bytes, target, what[memory], remedy)


def too_large(
    memory: str, needed: int, there: int, target: Target, what: str, remedy: str | None = None
) -> FitError:
    """Return what is said of a model that does not fit a memory.

    Args:
        memory: "flash" or "ram".
        needed: bytes.
        there: bytes that the board has.
        target: the board.
        what: what those bytes are.
        remedy: what would do; None for what does for edgesq's own runtime.
    """
    return FitError(
        f"the model needs {needed} B of {memory} ({what}), the board has {there} B",
        where=target.name,
        hint=f"try {remedy or _REMEDIES[memory]}, or a board with more {memory}",
    )
