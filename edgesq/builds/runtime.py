"""What a build's firmware is made of: edgesq's runtime, or TensorFlow Lite Micro's."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgesq.builds.facts import ExportReport, FirmwareFacts, PlanFacts
from edgesq.builds.operators import operators_of
from edgesq.calibrate import Preprocessing
from edgesq.codegen import generate, generate_tflm
from edgesq.errors import TargetError, ToolError, did_you_mean
from edgesq.formats.tflite.tidy import int8_inside
from edgesq.formats.tflm import arena_bytes
from edgesq.graph import Graph
from edgesq.int8_only import need_int8
from edgesq.integers import round_up
from edgesq.kernels.families import families_of
from edgesq.plan import (
    Bands,
    Candidate,
    Goal,
    PlanRequest,
    check_tflm_fits,
    make_plan,
    plan_for,
)
from edgesq.project import (
    RUNTIME,
    TFLM_RUNTIME,
    estimate_plan,
    is_plain,
    lay_out,
    tflm_cmake,
)
from edgesq.targets import TFLM_KERNELS, Target, load_target

TFLM_STACK_BYTES = 4_096
"""About three times the deepest use seen under QEMU, 1,412 bytes on an M7 with CMSIS-NN."""


@dataclass(frozen=True)
class FirmwareOptions:
    """What the user wants of a firmware.

    Attributes:
        target: the board; its kernels are "tflm" for a firmware around TensorFlow Lite Micro.
        name: what C names begin with.
        goal: what the plan is best at.
        ram_limit: RAM in bytes to plan for; None for the target's.
        tflm_dir: a tree of TensorFlow Lite Micro with its library built.
        class_names: by number; empty where nobody says.
        preprocessing: from pixels to the model's input.
    """

    target: Target
    name: str
    goal: Goal = Goal.BALANCED
    ram_limit: int | None = None
    tflm_dir: Path | None = None
    class_names: tuple[str, ...] = ()
    preprocessing: Preprocessing = field(default_factory=Preprocessing)


@dataclass(frozen=True)
class Firmware:
    """What is laid out for a board.

    Attributes:
        target: the board.
        files: generated text, file name to content.
        runtime: folders of the runtime.
        chosen: the plan; None where the runtime plans for itself.
        facts: what the report says of it.
    """

    target: Target
    files: Mapping[str, str]
    runtime: tuple[str, ...]
    chosen: Candidate | None
    facts: FirmwareFacts

    @property
    def has_rows(self) -> bool:
        """Whether it takes pixels row by row, as examples and libraries show it: by NAME_app.c."""
        return any(name.endswith("_app.c") for name in self.files)

    def portable_files(self, graph: Graph) -> Mapping[str, str]:
        """Return the data that the portable kernels take, for the same bands: for this computer."""
        chosen, portable = self.chosen, PlanRequest()
        if chosen is not None and chosen.request == replace(portable, goal=chosen.request.goal):
            return generate(graph, chosen.plan, portable.kernels)
        bands = Bands() if chosen is None else chosen.bands
        return generate(graph, make_plan(graph, portable, bands), portable.kernels)

    def lay_out(self, folder: Path) -> None:
        """Write the project into `folder`."""
        lay_out(folder, self.target, self.files, self.runtime)


def around_tflm(target: Target) -> Target:
    """Return the target with TensorFlow Lite Micro as its runtime, and the stack that needs."""
    stack_bytes = max(target.stack_bytes, TFLM_STACK_BYTES)
    return replace(target, kernels=TFLM_KERNELS, stack_bytes=stack_bytes)


def with_kernels(target: Target, kernels: str | None) -> Target:
    """Return the target with another kernel family than its own; None for that.

    Raises:
        TargetError: its core does not run that family.
    """
    if kernels is None:
        return target
    if not target.is_planned:
        raise TargetError(
            "its kernels are TensorFlow Lite Micro's", where=target.name, hint="leave out --kernels"
        )
    known = families_of(target.kernels)
    if kernels not in known:
        raise TargetError(
            f"runs no kernels '{kernels}'", where=target.name, hint=did_you_mean(kernels, known)
        )
    return replace(target, kernels=kernels)


def asked_kernels(target: Target) -> str | None:
    """Return the kernel family that a target was given; None for its own, or another runtime."""
    is_own = target.kernels == load_target(target.name).kernels
    return None if is_own or not target.is_planned else target.kernels


def target_of(report: ExportReport) -> Target:
    """Return the target of a build, with the runtime and the kernels that were asked for.

    Raises:
        TargetError: it is not known any more, or has no such kernels.
    """
    return as_asked(report, load_target(report.firmware.target))


def as_asked(report: ExportReport, target: Target) -> Target:
    """Return `target` with the runtime and the kernels that were asked for when a build was made.

    Raises:
        TargetError: its core does not run them.
    """
    if report.firmware.kernels == TFLM_KERNELS:
        return around_tflm(target)
    return with_kernels(target, report.request.kernels)


def make_firmware(
    graph: Graph, tflite: bytes, options: FirmwareOptions, chosen: Candidate | None = None
) -> Firmware:
    """Choose memory and generate data for a board.

    Args:
        graph: the model.
        tflite: its bytes.
        options: what is wanted.
        chosen: the plan of such a firmware for a board with more flash; None for a search.

    Raises:
        FitError: the model does not fit the board.
        ModelError: the runtime does not have one of its operators.
        MissingExtraError: tflite-micro is not installed.
        ToolError: no TensorFlow Lite Micro is given for a board.
    """
    if options.target.kernels == TFLM_KERNELS:
        return _tflm(graph, tflite, options)
    return _edgesq(graph, options, chosen)


def check_tree(target: Target, tflm_dir: Path | None) -> None:
    """Refuse a board whose kernels are TensorFlow Lite Micro's without a tree of that.

    Raises:
        ToolError: no tree is given, or it is not there.
    """
    if target.kernels == TFLM_KERNELS and tflm_dir is None and not target.is_host:
        raise ToolError(
            "a board needs a TensorFlow Lite Micro that is built for it",
            where=target.name,
            hint="give --tflm-dir TREE, or verify on this computer with --target tflm-host",
        )
    if tflm_dir is not None and not tflm_dir.is_dir():
        raise ToolError(
            "no such folder", where=str(tflm_dir), hint="give TensorFlow Lite Micro's tree"
        )
    if tflm_dir is not None and not is_plain(tflm_dir):
        raise ToolError(
            "has a name that CMake does not take as it is",
            where=str(tflm_dir),
            hint="move it where letters, digits and . _ - are enough",
        )


def _edgesq(graph: Graph, options: FirmwareOptions, chosen: Candidate | None) -> Firmware:
    target = options.target
    chosen = plan_for(graph, target, options.goal, options.ram_limit, chosen)
    return Firmware(
        target,
        generate(
            graph,
            chosen.plan,
            target.kernels,
            options.name,
            options.class_names,
            options.preprocessing,
        ),
        RUNTIME,
        chosen,
        FirmwareFacts(
            target.name,
            target.kernels,
            chosen.plan.arena_bytes,
            PlanFacts.of(chosen),
            operators_of(graph, chosen.plan),
            estimated=estimate_plan(graph, chosen, target),
        ),
    )


def _tflm(graph: Graph, tflite: bytes, options: FirmwareOptions) -> Firmware:
    target = options.target
    need_int8(graph, "TensorFlow Lite Micro's runtime")
    check_tree(target, options.tflm_dir)
    tflite = int8_inside(tflite)
    used = arena_bytes(tflite)
    arena = given_arena_bytes(used)
    check_tflm_fits(graph, target, len(tflite), arena)
    told = (options.name, options.class_names, options.preprocessing)
    files = generate_tflm(graph, tflite, arena, *told)
    if options.tflm_dir is not None and not target.is_host:
        files["tflm.cmake"] = tflm_cmake(target, options.tflm_dir)
    return Firmware(
        target,
        files,
        TFLM_RUNTIME,
        None,
        FirmwareFacts(target.name, TFLM_KERNELS, arena, tflm_used_arena_bytes=used),
    )


def given_arena_bytes(used: int) -> int:
    """Return the arena for a firmware whose interpreter used `used` bytes on this computer.

    A margin of one part in 32 and 1,024 bytes is added: optimised kernels have buffers of their
    own, while pointers take half the bytes on a microcontroller.
    """
    return round_up(used + used // 32 + 1024, 16)
