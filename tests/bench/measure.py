"""Build a network for a board, run it there, and report."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.code import Code, code_bytes
from bench.operators import OperatorCost, operator_costs
from edgesq.builds import TFLITE, VERIFY_IMAGES
from edgesq.builds.operators import operators_of
from edgesq.codegen import generate
from edgesq.flash import flash, stop
from edgesq.formats.tflite import read_graph
from edgesq.graph import Int8Array
from edgesq.plan import Plan
from edgesq.project import compile_firmware, lay_out
from edgesq.targets import Target
from edgesq.verify import VerifyOptions, VerifyReport, verify

_PARAMETERS = re.compile(
    r"^ \.rodata\.(?:weights|weight_sums|bias|multiplier|shift|table|rescaling|content|channels"
    r"|steps|words)_\d+\s+0x[0-9a-f]+\s+0x([0-9a-f]+)",
    re.M,
)
"""Arrays with an entry per weight or per channel, as firmware/template/data names them."""


_SILENCE_S = 60.0
"""After which a board is given up: an emulator on a machine that does much else is slow."""


@dataclass(frozen=True)
class Measurement:
    """One network on one board.

    Attributes:
        arena_bytes: as the plan says.
        ram_bytes, flash_bytes: of the whole image, from the linker.
        code_bytes: code and constant tables apart from weights, biases and requantization.
        code: bytes of each function.
        report: of `verify`.
        operators: what each costs, in the order of the board's table; none where not asked for.
    """

    arena_bytes: int
    ram_bytes: int
    flash_bytes: int
    code_bytes: int
    code: Code
    report: VerifyReport
    operators: tuple[OperatorCost, ...]


def measure(
    content: bytes, images: Int8Array, plan: Plan, target: Target, *, by_operator: bool = True
) -> Measurement:
    """Compile, start the emulated board, stream the images, stop it; perhaps by operator too."""
    graph = read_graph(content)
    with tempfile.TemporaryDirectory(prefix="edgesq-bench-") as scratch:
        build = Path(scratch)
        lay_out(build / "firmware", target, generate(graph, plan, target.kernels))
        sizes = compile_firmware(build / "firmware", target)
        (build / TFLITE).write_bytes(content)
        np.savez(build / VERIFY_IMAGES, input=images)
        flash(build, target)
        try:
            report = verify(VerifyOptions(build, timeout=_SILENCE_S))
            table = operators_of(graph, plan)
            costs = operator_costs(build, images[0], graph, table, target) if by_operator else ()
        finally:
            stop(build)
        linker_map = build / "firmware" / "build" / "edgesq.map"
        parameters, code = parameter_bytes(linker_map), code_bytes(linker_map)
    return Measurement(
        plan.arena_bytes,
        sizes.ram_bytes,
        sizes.flash_bytes,
        sizes.flash_bytes - parameters,
        code,
        report,
        costs,
    )


def parameter_bytes(path: Path) -> int:
    """Return the bytes of weights, biases and requantization per channel, from the linker's map."""
    return sum(int(size, 16) for size in _PARAMETERS.findall(path.read_text()))
