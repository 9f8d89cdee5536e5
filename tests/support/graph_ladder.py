"""Hold the whole ladder on many small networks at once: one program of C for all of them."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgesq.codegen import generate
from edgesq.errors import EdgesqError
from edgesq.formats.onnx import integer_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph, Int8Array
from edgesq.plan import Bands, Plan, make_plan
from edgesq.reference import SequenceRun
from support.crun import Runtime, compile_c
from support.networks import images
from support.paths import CKERNELS
from support.random_graphs import draw_graphs, smallest
from support.random_sketch import Drawn
from support.replay import Replay
from support.together import write_together

IMAGES = 4
"""Per network: noise, and the darkest and the brightest image."""

STEPS = 3
"""Images of a sequence, where a network keeps state from one to the next."""

IN_C = "C"
"""How problems of the C runtime begin."""


@dataclass
class Rung:
    """A network on the ladder, and the first thing that is wrong with it."""

    drawn: Drawn
    graph: Graph
    inputs: Int8Array
    plan: Plan
    golden: tuple[Int8Array, ...]
    problem: str | None = field(default=None)

    @property
    def sizes(self) -> list[int]:
        """Bytes of one image, by observed tensor."""
        return [values[0].nbytes for values in self.golden]

    def hold(self, form: str, outputs: Sequence[Int8Array]) -> None:
        """Note how the outputs of a form of the network differ, if they do."""
        for output, expected in zip(outputs, self.golden, strict=True):
            wrong = int(np.count_nonzero(output != expected))
            if wrong and self.problem is None:
                self.problem = f"{form}: {wrong} of {expected.size} values differ"


def problems(runtime: Runtime, folder: Path, drawn: Sequence[Drawn]) -> list[str | None]:
    """Return what is wrong with each network, None where BUILTIN_REF = numpy = ONNX = C.

    Args:
        runtime: the C runtime, compiled with sanitizers.
        folder: to compile the networks in.
        drawn: the networks.
    """
    begun = [_begin(one) for one in drawn]
    _hold_c(runtime, folder, [rung for rung in begun if isinstance(rung, Rung)])
    return [rung.problem if isinstance(rung, Rung) else rung for rung in begun]


def _begin(drawn: Drawn) -> Rung | str:
    """Hold all but C, or return why a network is refused."""
    try:
        return _rung(drawn)
    except EdgesqError as error:
        return f"refused: {error}"


def _rung(drawn: Drawn) -> Rung:
    """Compute the golden values, and hold numpy, ONNX and the plan."""
    graph = read_graph(drawn.content)
    inputs = images(graph.image_shape, IMAGES - 2, dtype=graph.tensors[graph.input].dtype)
    made = tuple(op.output for op in graph.ops)
    every = ReferenceInterpreter(drawn.content).tensors(inputs, made + graph.observed, STEPS)
    plan = make_plan(graph, bands=Bands(drawn.band))
    rung = Rung(drawn, graph, inputs, plan, every[len(made) :])
    generate(graph, plan, "portable", "refused")
    mine = list(SequenceRun(graph, STEPS).runs(inputs))
    for op, expected in zip(graph.ops, every, strict=False):
        got = np.stack([values[op.output].reshape(-1) for values in mine])
        cut = got.shape != expected.shape  # channels that the output does not need are left out
        if rung.problem is None and not cut and not np.array_equal(got, expected):
            rung.problem = f"numpy: {op.kind} {op.name} differs"
    if not graph.stateful and not graph.is_int16:
        rung.hold("integer ONNX", run_onnx(integer_onnx(graph), *graph.columns(inputs)))
    try:
        Replay(graph, rung.plan).run()
    except AssertionError as error:
        rung.problem = rung.problem or f"plan: {error}"
    return rung


def _hold_c(runtime: Runtime, folder: Path, rungs: Sequence[Rung]) -> None:
    if not rungs:
        return
    names = [f"graph_{index}" for index in range(len(rungs))]
    models = {
        name: generate(rung.graph, rung.plan, "portable", name)
        for name, rung in zip(names, rungs, strict=True)
    }
    source = write_together(folder, models)
    (folder / "graphs.h").write_text(_table(names))
    compile_c("-O0", "-c", "-I.", CKERNELS / "graphs.c", source, cwd=folder)
    program = folder / "graphs"
    objects = (folder / "graphs.o", source.with_suffix(".o"))
    compile_c(*runtime.runtime_objects, *objects, "-o", program)
    stdin = b"".join(rung.inputs.tobytes() for rung in rungs)
    done = subprocess.run([program], input=stdin, capture_output=True, timeout=300)
    if done.returncode == 0:
        _hold_outputs(rungs, done.stdout)
        return
    for index, rung in enumerate(rungs):
        command = [str(program), str(index)]
        done = subprocess.run(command, input=rung.inputs.tobytes(), capture_output=True, timeout=60)
        if done.returncode == 0:
            _hold_outputs([rung], done.stdout)
        else:
            rung.problem = rung.problem or f"{IN_C}: {done.stderr.decode(errors='replace')[:2000]}"


def _hold_outputs(rungs: Sequence[Rung], content: bytes) -> None:
    totals = [len(rung.inputs) * sum(rung.sizes) for rung in rungs]
    values = np.frombuffer(content, np.int8)
    assert values.size == sum(totals)
    for rung, part in zip(rungs, np.split(values, np.cumsum(totals)[:-1]), strict=True):
        by_image = part.reshape(len(rung.inputs), -1)
        columns = np.split(by_image, np.cumsum(rung.sizes)[:-1], axis=1)
        rung.hold(IN_C, rung.graph.typed([np.ascontiguousarray(one) for one in columns]))


def _table(names: Sequence[str]) -> str:
    includes = "\n".join(f'#include "{name}_model.h"' for name in names)
    models = ", ".join(f"&{name}_model" for name in names)
    return (
        f"{includes}\n#define GRAPH_COUNT {len(names)}u\n#define GRAPH_IMAGES {IMAGES}u\n"
        f"#define GRAPH_STEPS {STEPS}u\n"
        f"static const struct esq_model *const graphs[] = {{{models}}};\n"
    )


def fault(runtime: Runtime, folder: Path, count: int, number: int) -> str | None:
    """Return the smallest network of a seed on which the ladder breaks, None where it holds.

    Args:
        runtime: the C runtime, compiled with sanitizers.
        folder: to compile the networks in.
        count: networks to draw.
        number: the seed.
    """
    drawn = draw_graphs(count, number)
    found = problems(runtime, folder, drawn)
    good = {one.source for one, problem in zip(drawn, found, strict=True) if not problem}
    if len(good) == len({one.source for one in drawn}):
        return None

    first = next((one, problem) for one, problem in zip(drawn, found, strict=True) if problem)

    def problem_of(one: Drawn) -> str | None:
        if one.source in good:
            return None
        if first[1].startswith(IN_C):
            return problems(runtime, folder, [one])[0]
        begun = _begin(one)  # in a hundredth of the time
        return begun.problem if isinstance(begun, Rung) else begun

    one, problem = smallest(count, number, problem_of) or first
    return f"{problem}, bands of {one.band}; for tests/support/cases.py:\n\n{one.source}"
