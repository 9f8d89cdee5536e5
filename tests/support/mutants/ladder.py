"""What is accepted must compute the same in every form: TFLite reference, numpy, ONNX, C."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgesq.codegen import generate
from edgesq.graph import Graph, Int8Array, digest
from edgesq.plan import make_plan, plan_for
from support.crun import Runtime, compile_c
from support.networks import images
from support.paths import CKERNELS

IMAGES = 3
"""Per model: noise, and the darkest and the brightest image."""

AT_ONCE = 50
"""Models of one program."""

_BOARD, _NAME, _FACTS = "mps2-an386", "mutant", "facts.json"


class DiffersError(Exception):
    """Two forms of an accepted model compute different values."""


def hold(content: bytes, graph: Graph, kept: Path) -> None:
    """Plan a model, and hold that all forms but C agree; leave its C data and values in a folder.

    Args:
        content: int8 .tflite.
        graph: the same, parsed.
        kept: folder to make; `differing` compiles what is there.

    Raises:
        EdgesqError: it is refused, as `export` does.
        DiffersError: the forms differ.
    """
    from edgesq.formats.onnx import integer_onnx, run_onnx
    from edgesq.formats.tflite import ReferenceInterpreter
    from edgesq.reference import run
    from edgesq.targets import load_target

    inputs = images(graph.tensors[graph.input].hwc, IMAGES - 2)
    target = load_target(_BOARD)
    chosen = plan_for(graph, target)
    generate(graph, chosen.plan, target.kernels)
    files = generate(graph, make_plan(graph), "portable", _NAME)
    made = tuple(op.output for op in graph.ops)
    every = ReferenceInterpreter(content).tensors(inputs, made + graph.observed)
    golden = every[len(made) :]
    mine = [run(graph, image) for image in inputs]
    for op, expected in zip(graph.ops, every, strict=False):
        got = np.stack([values[op.output].reshape(-1) for values in mine])
        if got.size < expected.size:
            continue  # channels that the output does not need are left out
        _hold(f"numpy, {op.kind}", [got], [expected])
    _hold("integer ONNX", run_onnx(integer_onnx(graph), inputs), golden)
    _keep(kept, files, inputs, golden, graph)


def _hold(form: str, outputs: Sequence[Int8Array], golden: Sequence[Int8Array]) -> None:
    for output, expected in zip(outputs, golden, strict=True):
        if output.size != expected.size:
            raise DiffersError(f"{form}: {output.size} values instead of {expected.size}")
        wrong = int(np.count_nonzero(output.reshape(expected.shape) != expected))
        if wrong:
            raise DiffersError(f"{form}: {wrong} of {expected.size} values differ")


def _keep(
    folder: Path,
    files: dict[str, str],
    inputs: Int8Array,
    golden: Sequence[Int8Array],
    graph: Graph,
) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    values = np.concatenate(golden, axis=1)
    (folder / "inputs").write_bytes(inputs.tobytes())
    (folder / "golden").write_bytes(values.tobytes())
    nameless = generate(replace(graph, sha256="0" * 64), make_plan(graph), "portable", _NAME)
    same = digest("".join(nameless.values()).encode() + values.tobytes())
    (folder / _FACTS).write_text(json.dumps({"same": same}))


def batches(kept: Path) -> list[list[Path]]:
    """Return the folders below one that `hold` filled, alike ones once, AT_ONCE at a time."""
    alike: dict[str, Path] = {}
    for folder in sorted(kept.iterdir()):
        alike.setdefault(json.loads((folder / _FACTS).read_text())["same"], folder)
    folders = list(alike.values())
    return [folders[start : start + AT_ONCE] for start in range(0, len(folders), AT_ONCE)]


def differing(folders: Sequence[Path], runtime: Runtime, scratch: Path) -> dict[Path, str]:
    """Compile what `hold` kept, one program for all; return what is wrong, by folder.

    Args:
        folders: at least one, of `batches`.
        runtime: the C runtime, compiled with sanitizers.
        scratch: a folder for this alone; it is emptied.
    """
    try:
        return _differing(folders, runtime, _empty(scratch))
    except (AssertionError, subprocess.TimeoutExpired) as error:
        if len(folders) == 1:
            return {folders[0]: f"C: {str(error)[-600:]}"}
    found: dict[Path, str] = {}
    for folder in folders:  # which one it is
        found |= differing([folder], runtime, scratch)
    return found


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _differing(folders: Sequence[Path], runtime: Runtime, scratch: Path) -> dict[Path, str]:
    names = [f"{_NAME}_{number}" for number in range(len(folders))]
    for name, folder in zip(names, folders, strict=True):
        for ending in ("c", "h"):
            text = (folder / f"{_NAME}_model.{ending}").read_text()
            (scratch / f"{name}_model.{ending}").write_text(_renamed(text, name))
    includes = "\n".join(f'#include "{name}_model.h"' for name in names)
    models = ", ".join(f"&{name}_model" for name in names)
    (scratch / "graphs.h").write_text(
        f"{includes}\n#define GRAPH_COUNT {len(names)}u\n#define GRAPH_IMAGES {IMAGES}u\n"
        f"static const struct esq_model *const graphs[] = {{{models}}};\n"
    )
    sources = [scratch / f"{name}_model.c" for name in names]
    compile_c("-O0", "-c", "-I.", CKERNELS / "graphs.c", *sources, cwd=scratch)
    objects = [scratch / "graphs.o", *(path.with_suffix(".o") for path in sources)]
    compile_c(*runtime.runtime_objects, *objects, "-o", scratch / "graphs")
    stdin = b"".join((folder / "inputs").read_bytes() for folder in folders)
    done = subprocess.run([scratch / "graphs"], input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[:2000]
    golden = [(folder / "golden").read_bytes() for folder in folders]
    assert len(done.stdout) == sum(map(len, golden)), "another number of values"
    found, place = {}, 0
    for folder, expected in zip(folders, golden, strict=True):
        got = done.stdout[place : place + len(expected)]
        place += len(expected)
        if got != expected:
            pairs = zip(got, expected, strict=True)
            wrong = sum(one != two for one, two in pairs)
            found[folder] = f"C: {wrong} of {len(expected)} values differ"
    return found


def _renamed(text: str, name: str) -> str:
    return text.replace(_NAME, name).replace(_NAME.upper(), name.upper())
