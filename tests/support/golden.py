"""Figures of the ladder's plans and of the data generated for them, kept in a file.

What is kept says whether a change of the code changed a plan, a byte of the data or which C
functions run. `make golden` writes the file anew and prints each difference.
"""

import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, product
from pathlib import Path
from typing import Any

import numpy as np

from edgesq.codegen import generate
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels.flash import codable
from edgesq.operators import Conv2D
from edgesq.plan import Candidate, Goal, PlanRequest, choose, coded_steps, needs
from edgesq.targets import load_target
from support.ladder import LADDER, MODELS, SHARED_NAMES, LadderModels
from support.paths import TESTS

FILE = TESTS / "ladder" / "golden.json"

BOARDS = {"portable": "netduino2", "dsp": "mps2-an500", "mve": "mps3-an547"}
"""By kernel family the board whose flash and RAM the figures are of."""

COARSE = "demo coarse"
"""The demo with few different weights, so that many layers are coded."""

NAMES = (*LADDER, COARSE)

_HEX_DIGITS = 8
_COARSE_STEP = 32

_INITIALISER = re.compile(r"=\s*\{([^{}]*)\};")
_NUMBERS_ONLY = re.compile(r"[\s\d\-,xa-fA-Fu]*")
_NUMBER = re.compile(r"-?(?:0x[0-9a-fA-F]+|\d+)u?")

_KNOWN: dict[bytes, str] = {}
"""Digests of arrays by those of their text."""

Figures = dict[str, Any]
"""Of one plan, by key."""


def figures_of(name: str, content: bytes) -> dict[str, Figures]:
    """Return the figures of each family and goal, with plain and with coded weights.

    Args:
        name: of the model, one of NAMES.
        content: its .tflite; for COARSE that of the demo.
    """
    graph = read_graph(content)
    if name == COARSE:
        graph = _coarse(graph)
    return {
        f"{request.kernels} {request.goal.value}{' coded' if request.coded else ''}": _figures(
            graph, request
        )
        for request in _requests(graph, is_coded_only=name == COARSE)
    }


def identity(content: bytes) -> str:
    """Return what a model's bytes are told apart by."""
    return hashlib.sha256(content).hexdigest()


def differences(name: str, kept: dict[str, Figures], found: dict[str, Figures]) -> list[str]:
    """Return a line for each figure that is not as it was."""
    return [
        f"{name}, {plan}: {key} is {now.get(key)}, was {then.get(key)}"
        for plan in sorted(kept.keys() | found.keys())
        for then, now in [(kept.get(plan, {}), found.get(plan, {}))]
        for key in sorted(then.keys() | now.keys())
        if then.get(key) != now.get(key)
    ]


def read() -> dict[str, Any]:
    """Return what is kept, by model: its "sha256", and "plans"."""
    kept: dict[str, Any] = json.loads(FILE.read_text())
    return kept


def write(kept: dict[str, Any]) -> None:
    """Write what is to be kept, a line for each plan."""
    lines = []
    for name, model in sorted(kept.items()):
        plans = ",\n".join(
            f"  {json.dumps(plan)}: {json.dumps(figures)}"
            for plan, figures in sorted(model["plans"].items())
        )
        head = f' {json.dumps(name)}: {{"sha256": "{model["sha256"]}", "plans": {{\n'
        lines.append(f"{head}{plans}}}}}")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _requests(graph: Graph, *, is_coded_only: bool) -> Iterator[PlanRequest]:
    for kernels, goal in product(BOARDS, Goal):
        if not is_coded_only:
            yield PlanRequest(kernels, goal)
        coded = codable(graph, kernels)
        if coded and goal is not Goal.RAM:
            yield PlanRequest(kernels, goal, growth_bytes=0, coded=coded)


def _figures(graph: Graph, request: PlanRequest) -> Figures:
    chosen = choose(graph, request)
    plan = chosen.plan
    blocks = sorted((item.name, item.offset, item.bytes, item.ring_rows) for item in plan.items)
    needed = needs(graph, plan, load_target(BOARDS[request.kernels]))
    return {
        "arena": plan.arena_bytes,
        **needed,
        "instructions": round(chosen.instructions),
        "steps": hashlib.sha256(coded_steps(plan.steps)).hexdigest()[:_HEX_DIGITS],
        "blocks": _digest(repr(blocks)),
        "arrays": _digest(json.dumps(sorted(_arrays(graph, chosen)))),
        "functions": _functions(chosen),
    }


def _functions(chosen: Candidate) -> str:
    """Return the C functions in the order of the operators, with how often each is repeated."""
    names = [item.kernel.function for item in chosen.plan.ops]
    runs = [(name.removeprefix("esq_run_"), len(list(run))) for name, run in groupby(names)]
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in runs)


def _arrays(graph: Graph, chosen: Candidate) -> list[str]:
    """Return a digest of the numbers of each array that is generated."""
    files = generate(graph, chosen.plan, chosen.request.kernels)
    (text,) = (text for file, text in files.items() if file.endswith("_model.c"))
    bodies = (match[1] for match in _INITIALISER.finditer(text))
    return [digest for body in bodies if (digest := _array(body))]


def _array(body: str) -> str:
    """Return a digest of an initialiser's numbers; nothing where it holds other things too.

    Plans of a model share most of their arrays, so answers are remembered.
    """
    key = hashlib.sha256(body.encode()).digest()
    if key not in _KNOWN:
        numbers = _NUMBER.findall(body) if _NUMBERS_ONLY.fullmatch(body) else None
        _KNOWN[key] = "" if numbers is None else _numbers_digest(numbers)
    return _KNOWN[key]


def _numbers_digest(numbers: list[str]) -> str:
    values = [int(number.rstrip("u"), 0) for number in numbers]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def _coarse(graph: Graph) -> Graph:
    """Return a graph whose convolutions have at most seven different weights."""
    tensors = list(graph.tensors)
    for op in graph.ops:
        if isinstance(op, Conv2D):
            weights = graph.constant(op.weights).astype(np.int32)
            steps = np.clip(np.round(weights / _COARSE_STEP) * _COARSE_STEP, -96, 96)
            tensors[op.weights] = replace(tensors[op.weights], data=steps.astype(np.int8))
    return replace(graph, tensors=tuple(tensors))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_HEX_DIGITS]


def main() -> None:
    """Write the file anew and print what is not as it was; models that are not there stay."""
    kept = read() if FILE.exists() else {}
    with tempfile.TemporaryDirectory(prefix="edgesq-") as folder:
        models = LadderModels(Path(folder))
        for name in NAMES:
            if name in SHARED_NAMES and not (MODELS / f"{name}.tflite").exists():
                continue
            content = models["demo" if name == COARSE else name].tflite
            found = figures_of(name, content)
            before = kept.get(name, {"plans": {}})["plans"]
            sys.stdout.writelines(f"{line}\n" for line in differences(name, before, found))
            kept[name] = {"sha256": identity(content), "plans": found}
    write(kept)


if __name__ == "__main__":
    main()
