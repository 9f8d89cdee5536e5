"""Make an existing build ready for a board: compile what is not, or lay it out for another."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

from edgesq.codegen import generate
from edgesq.export.folder import FIRMWARE, TFLITE, read_report, write_report
from edgesq.formats.tflite import read_graph
from edgesq.plan import make_plan
from edgesq.project import check_fit, compile_firmware, firmware_path, lay_out
from edgesq.targets import Target, load_target


def ensure_compiled(build: Path, target: Target | None, on_stage: Callable[[str], None]) -> Target:
    """Compile the firmware of a build if it is not, and return the target it is for.

    Args:
        build: a build folder.
        target: another target than the build's own; the firmware is then laid out anew.
        on_stage: is told what begins.

    Raises:
        EdgesqError: not a build folder, the model does not fit, or a tool failed.
    """
    report = read_report(build)
    folder = build / FIRMWARE
    own = load_target(report["target"])
    chosen = target or own
    if chosen != own:
        on_stage(f"lay out for {chosen.name}")
        graph = read_graph((build / TFLITE).read_bytes(), str(build / TFLITE))
        plan = make_plan(graph, kernels=chosen.kernels)
        check_fit(graph, plan, chosen)
        shutil.rmtree(folder / "build", ignore_errors=True)
        lay_out(folder, chosen, generate(graph, plan, chosen.kernels))
    elif _is_compiled(folder, chosen):
        return chosen
    on_stage(f"compile for {chosen.name}")
    sizes = compile_firmware(folder, chosen)
    write_report(build, {**report, "target": chosen.name, **dataclasses.asdict(sizes)})
    return chosen


def _is_compiled(folder: Path, target: Target) -> bool:
    """Say whether the program is newer than every file it is made of."""
    program = firmware_path(folder, target)
    if not program.is_file():
        return False
    sources = (path for path in folder.rglob("*") if path.is_file())
    return all(
        path.stat().st_mtime <= program.stat().st_mtime
        for path in sources
        if folder / "build" not in path.parents
    )
