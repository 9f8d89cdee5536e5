"""Run many small models in one emulated firmware image: one compilation, one start of QEMU."""

import math
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgesq.codegen import generate
from edgesq.flash import qemu
from edgesq.flash.runner import Command
from edgesq.graph import Graph, Int8Array
from edgesq.kernels.flash import takes_coded
from edgesq.operators import Conv2D
from edgesq.plan import Bands, Fusion, Plan, PlanRequest, make_plan
from edgesq.project import compile_firmware, lay_out
from edgesq.reference import run_observed
from edgesq.targets import Target, load_target
from support.paths import SUPPORT
from support.together import together

MAIN = SUPPORT / "firmware_cases" / "main.c"
TIMEOUT_S = 120

Int8 = Int8Array


@dataclass(frozen=True)
class Case:
    """A model and its images, [n, *image_shape], one sequence where it keeps state.

    Weights are decoded on the board where `streamed`; operators run fused as `fused` says.
    """

    name: str
    graph: Graph
    images: Int8
    band_rows: int = 1
    streamed: bool = False
    limit_bytes: int | None = None
    fused: frozenset[Fusion] = frozenset()

    def plan(self, kernels: str) -> Plan:
        """Plan the model."""
        outputs = all_streamed(self.graph, kernels) if self.streamed else frozenset()
        request = PlanRequest(kernels, limit_bytes=self.limit_bytes, coded=outputs)
        return make_plan(self.graph, request, Bands(self.band_rows, fused=self.fused))

    def expected(self) -> Int8:
        """Return the outputs by the numpy reference, one after the other, as bytes [n, bytes]."""
        observed = run_observed(self.graph, self.images, len(self.images))
        shown = (np.ascontiguousarray(one) for one in observed[: len(self.graph.outputs)])
        return np.concatenate([one.view(np.int8) for one in shown], axis=1)


def all_streamed(graph: Graph, kernels: str) -> frozenset[int]:
    """Return all convolutions that a family can stream, worth it or not."""
    convs = [op for op in graph.ops if isinstance(op, Conv2D)]
    return frozenset(op.output for op in convs if takes_coded(graph, op, kernels))


def run_cases(
    folder: Path, target_name: str, cases: Sequence[Case], command: Command = qemu.command
) -> list[Int8]:
    """Return each case's outputs together, as bytes [n, bytes], of a board."""
    target = load_target(target_name)
    plans = [case.plan(target.kernels) for case in cases]
    models = {
        f"case_{index}": generate(case.graph, plan, target.kernels, f"case_{index}")
        for index, (case, plan) in enumerate(zip(cases, plans, strict=True))
    }
    lay_out(folder / "firmware", target, together(models))
    app = folder / "firmware" / "app"
    for path in app.iterdir():
        path.unlink()
    (app / "main.c").write_text(MAIN.read_text())
    (app / "cases.h").write_text(_header(cases, plans))
    (app / "cases.c").write_text(_table(cases))
    compile_firmware(folder / "firmware", target, warnings_are_errors=True)
    sizes = [
        len(case.images)
        * sum(math.prod(case.graph.tensors[output].stored) for output in case.graph.outputs)
        for case in cases
    ]
    output = start_and_read(folder, target, sum(sizes), command)
    parts = np.split(np.frombuffer(output, np.int8), np.cumsum(sizes)[:-1])
    return [part.reshape(len(case.images), -1) for case, part in zip(cases, parts, strict=True)]


def differing(
    folder: Path, target_name: str, cases: Sequence[Case], command: Command = qemu.command
) -> list[str]:
    """Return the names of the cases whose outputs differ from the numpy reference's."""
    found = run_cases(folder, target_name, cases, command)
    return [
        case.name
        for case, values in zip(cases, found, strict=True)
        if not np.array_equal(values, case.expected())
    ]


def _header(cases: Sequence[Case], plans: Sequence[Plan]) -> str:
    return f"""#include "esq_model.h"
#define ESQ_CASES {len(cases)}u
#define ESQ_CASES_ARENA_BYTES {max(plan.arena_bytes for plan in plans)}u
struct esq_case {{
    const struct esq_model *model;
    const int8_t *inputs;
    uint32_t images;
    uint32_t image_bytes;
    uint32_t outputs;
}};
extern const struct esq_case esq_cases[ESQ_CASES];
"""


def _table(cases: Sequence[Case]) -> str:
    lines = ['#include "cases.h"']
    rows = []
    for index, case in enumerate(cases):
        values = ", ".join(map(str, case.images.reshape(-1).view(np.int8).tolist()))
        lines.append(f'#include "case_{index}_model.h"')
        lines.append(f"static const int8_t inputs_{index}[] = {{{values}}};")
        rows.append(
            f"    {{&case_{index}_model, inputs_{index}, {len(case.images)}u, "
            f"{case.images[0].nbytes}u, {len(case.graph.outputs)}u}},"
        )
    return "\n".join([*lines, "const struct esq_case esq_cases[ESQ_CASES] = {", *rows, "};", ""])


def start_and_read(
    folder: Path, target: Target, count: int, command: Command = qemu.command
) -> bytes:
    """Return the first `count` bytes that a board sends; it is stopped then."""
    board = subprocess.Popen(
        command(folder, target, None), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert board.stdout is not None
        return _read(board, count)
    finally:
        board.kill()
        board.wait()


def _read(board: "subprocess.Popen[bytes]", count: int) -> bytes:
    timer = threading.Timer(TIMEOUT_S, board.kill)
    timer.start()
    try:
        assert board.stdout is not None
        output = board.stdout.read(count)
    finally:
        timer.cancel()
    assert len(output) == count, f"{len(output)} of {count} bytes came"
    return output
