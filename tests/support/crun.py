"""Compile C with sanitizers, and run networks by the C runtime, several plans at once."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgesq.codegen import generate
from edgesq.graph import Graph, Int8Array
from edgesq.plan import Plan
from edgesq.project.build import STRICT_FLAGS
from edgesq.resources import resource
from support.paths import CKERNELS

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def run_command(*command: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> bytes:
    done = subprocess.run(
        list(map(str, command)), input=stdin, capture_output=True, timeout=300, cwd=cwd
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
    return done.stdout


def compile_c(*arguments: str | Path, cwd: Path | None = None) -> None:
    firmware = resource("firmware")
    includes = (f"-I{firmware / 'include'}", f"-I{firmware / 'src'}")
    cache = filter(None, [os.environ.get("CMAKE_C_COMPILER_LAUNCHER")])
    run_command(*cache, "gcc", *STRICT_FLAGS, "-g", *SANITIZERS, *includes, *arguments, cwd=cwd)


class Runtime:
    """The C runtime, compiled once with sanitizers; each network is linked to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        sources = sorted((resource("firmware") / "src").rglob("*.c"))
        for source in sources:  # one by one, as a compiler cache takes them
            compile_c("-O2", "-c", source, cwd=folder)
        self.runtime_objects = sorted(folder.glob("*.o"))
        compile_c("-O2", "-c", CKERNELS / "plans.c", cwd=folder)
        self.objects = [*self.runtime_objects, folder / "plans.o"]

    def run(
        self, graph: Graph, plans: Sequence[Plan], inputs: Int8Array
    ) -> list[tuple[Int8Array, ...]]:
        """Return, for each of up to 4 plans, what `run_observed` would of one sequence."""
        datas = []
        for number, plan in enumerate(plans):
            place = self.folder / str(number)
            place.mkdir(exist_ok=True)
            for name, text in generate(graph, plan, "portable", f"plan_{number}").items():
                (place / name).write_text(text)
            datas.append(place / "model.o")
            compile_c("-c", place / f"plan_{number}_model.c", "-o", datas[-1])
        program = self.folder / "plans"
        compile_c(*self.objects, *datas, "-o", program)
        output = run_command(program, stdin=inputs.tobytes())
        sizes = [int(np.prod(graph.tensors[index].shape)) for index in graph.observed]
        values = np.frombuffer(output, np.int8).reshape(len(inputs), len(plans), sum(sizes))
        cuts = np.cumsum(sizes)[:-1]
        return [tuple(np.split(values[:, k], cuts, axis=1)) for k in range(len(plans))]
