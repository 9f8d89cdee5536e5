"""What the linker says of a model on a board, without a build folder."""

import tempfile
from pathlib import Path

from edgesq.codegen import generate
from edgesq.errors import MissingToolError
from edgesq.graph import Graph
from edgesq.plan import Plan
from edgesq.project.build import Sizes, compile_firmware
from edgesq.project.layout import lay_out
from edgesq.targets import Target


def measure(graph: Graph, plan: Plan, target: Target) -> Sizes | None:
    """Compile the image and return the linker's sizes; None where there is no way to.

    Raises:
        ToolError: a compiler failed.
    """
    if target.is_library:
        return None
    with tempfile.TemporaryDirectory(prefix="edgesq-") as scratch:
        lay_out(Path(scratch), target, generate(graph, plan, target.kernels))
        try:
            return compile_firmware(Path(scratch), target)
        except MissingToolError:
            return None
