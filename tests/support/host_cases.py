"""Run many small models by the C runtime of this computer, with sanitizers: one program for all."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgesq.codegen import generate
from edgesq.reference import run_observed
from support.crun import Runtime, compile_c, run_command
from support.emulated_cases import Case
from support.paths import CKERNELS
from support.together import write_together

_IMAGES = 2
"""Of each case."""


def differing_here(
    runtime: Runtime, folder: Path, kernels: str, cases: Sequence[Case]
) -> list[str]:
    """Return the names of the cases whose outputs differ from the numpy reference's.

    Args:
        runtime: compiled with sanitizers.
        folder: to compile the models in.
        kernels: a family that this computer runs.
        cases: models, each with at least two images.
    """
    names = [f"graph_{index}" for index in range(len(cases))]
    models = {
        name: generate(case.graph, case.plan(kernels), kernels, name)
        for name, case in zip(names, cases, strict=True)
    }
    source = write_together(folder, models)
    (folder / "graphs.h").write_text(_table(names))
    compile_c("-O0", "-c", "-I.", CKERNELS / "graphs.c", source, cwd=folder)
    objects = [folder / "graphs.o", source.with_suffix(".o")]
    compile_c(*runtime.runtime_objects, *objects, "-o", folder / "graphs")
    stdin = b"".join(case.images[:_IMAGES].tobytes() for case in cases)
    values = np.frombuffer(run_command(folder / "graphs", stdin=stdin), np.int8)
    expected = [_expected(case) for case in cases]
    parts = np.split(values, np.cumsum([part.size for part in expected])[:-1])
    pairs = zip(cases, parts, expected, strict=True)
    return [case.name for case, got, right in pairs if not np.array_equal(got, right)]


def _expected(case: Case) -> np.ndarray:
    """Return the values of all observed tensors, image by image."""
    observed = run_observed(case.graph, case.images[:_IMAGES], _IMAGES)
    return np.concatenate([each.reshape(_IMAGES, -1) for each in observed], axis=1).reshape(-1)


def _table(names: Sequence[str]) -> str:
    includes = "\n".join(f'#include "{name}_model.h"' for name in names)
    models = ", ".join(f"&{name}_model" for name in names)
    return (
        f"{includes}\n#define GRAPH_COUNT {len(names)}u\n#define GRAPH_IMAGES {_IMAGES}u\n"
        f"static const struct esq_model *const graphs[] = {{{models}}};\n"
    )
