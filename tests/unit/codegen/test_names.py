"""Names follow the model: C names, two models in one program, headers that C++ takes."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgesq.codegen import check_name, generate, name_of
from edgesq.errors import EdgesqError
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import PlanRequest, make_plan
from edgesq.reference import run_observed
from edgesq.resources import resource
from support.builds import refused
from support.cases import NETWORKS
from support.crun import compile_c, run_command
from support.emulated_cases import Case, differing
from support.networks import images
from support.paths import CKERNELS, SUPPORT

HEADERS = SUPPORT / "cplusplus" / "headers.cc"
FIRMWARE = resource("firmware")
STRICT_CPLUSPLUS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")


def write_model(folder: Path, graph: Graph, name: str, kernels: str = "portable") -> None:
    for file, text in generate(
        graph, make_plan(graph, PlanRequest(kernels)), kernels, name
    ).items():
        (folder / file).write_text(text)


@pytest.mark.parametrize("name", ["person", "a", "Cats_2", "x1_y2", "int8", "p" * 40])
def test_good_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        *((name, "no C identifier") for name in ("", "2d", "a-b", "a b", "caf\xe9", "a;", "../a")),
        *((name, "no C identifier") for name in ("_a", "a__b", "a_", "person\n")),
        *((name, "keyword") for name in ("int", "class", "restrict", "co_await")),
        *((name, "the runtime's own") for name in ("esq", "edgesq", "ESQ")),
        ("p" * 41, "longer than 40"),
    ],
)
def test_bad_names(name: str, says: str) -> None:
    with pytest.raises(EdgesqError, match=says) as caught:
        check_name(name)
    assert "\n" not in str(caught.value)


def test_the_command_refuses_a_bad_name(tmp_path: Path) -> None:
    refused(2, "--name 'int': is a keyword", "export", "--name", "int", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("demo", "demo"),
        ("SqueezeNet-v1.1", "squeezenet_v1_1"),
        ("person_model", "person"),
        ("2024_cats", "cats"),
        ("int", "my"),
        ("\u732b", "my"),
        ("", "my"),
        ("esq_model", "my"),
        ("a" * 39 + ".b", "a" * 39),
    ],
)
def test_names_from_files(model: str, name: str) -> None:
    assert name_of(model) == check_name(name) == name


def test_the_firmware_knows_the_numbers_it_asks_for() -> None:
    graph = read_graph(NETWORKS["fire"]())
    files = generate(graph, make_plan(graph), "portable", "person")
    own = re.findall(r"^#define PERSON_MODEL_(\w+) ", files["person_model.h"], re.M)
    aliases = dict(re.findall(r"^#define (\w+) (\w+)$", files["model_data.h"], re.M))
    assert aliases.pop("ESQ_MODEL") == "person_model"
    names = [alias.removeprefix("ESQ_MODEL_") for alias in aliases]
    assert list(aliases.values()) == [f"PERSON_MODEL_{name}" for name in names]
    assert set(names) <= set(own)
    sources = [
        path for folder in ("app", "tflm", "tools") for path in (FIRMWARE / folder).iterdir()
    ]
    used = re.findall(r"\bESQ_MODEL_[A-Z]\w+", "".join(path.read_text() for path in sources))
    assert set(used) - {"ESQ_MODEL_H"} == set(aliases)


def test_two_models_in_one_program(tmp_path: Path) -> None:
    graphs = [read_graph(NETWORKS[name]()) for name in ("fire", "dense_blocks")]
    for graph, name in zip(graphs, ("first", "second"), strict=True):
        write_model(tmp_path, graph, name)
    program = tmp_path / "two"
    runtime = sorted((FIRMWARE / "src").rglob("*.c"))
    models = (tmp_path / "first_model.c", tmp_path / "second_model.c")
    compile_c(f"-I{tmp_path}", CKERNELS / "two_models.c", *models, *runtime, "-o", program)
    shapes = [graph.tensors[graph.input].hwc for graph in graphs]
    sizes = [int(np.prod(shape)) for shape in shapes]
    pixels = np.random.default_rng(7).integers(-128, 128, max(sizes), np.int8)
    output = run_command(program, stdin=pixels.tobytes())
    expected = b"".join(
        values.tobytes()
        for graph, shape, size in zip(graphs, shapes, sizes, strict=True)
        for values in run_observed(graph, pixels[:size].reshape(1, *shape))
    )
    assert output == expected


@pytest.mark.emulated
def test_two_models_in_one_image_of_a_cortex_m7(tmp_path: Path) -> None:
    cases = []
    for name in ("fire", "dense_blocks"):
        graph = read_graph(NETWORKS[name]())
        cases.append(Case(name, graph, images(graph.tensors[graph.input].hwc)))
    assert differing(tmp_path, "mps2-an500", cases) == []


@pytest.mark.slow
def test_headers_are_cplusplus_too(tmp_path: Path) -> None:
    included = set(re.findall(r'#include "(\w+\.h)"', HEADERS.read_text()))
    assert included == {path.name for path in (FIRMWARE / "include").glob("*.h")} | {
        "person_model.h"
    }
    write_model(tmp_path, read_graph(NETWORKS["fire"]()), "person")
    compile_c(
        "-c", tmp_path / "person_model.c", *sorted((FIRMWARE / "src").rglob("*.c")), cwd=tmp_path
    )
    headers = (f"-I{FIRMWARE / 'include'}", f"-I{tmp_path}")
    sanitizers = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    program = tmp_path / "headers"
    objects = sorted(tmp_path.glob("*.o"))
    for standard in ("-std=c++11", "-std=c++20"):
        flags = (standard, *STRICT_CPLUSPLUS, *headers, *sanitizers)
        run_command("g++", *flags, HEADERS, *objects, "-o", program)
        run_command(program)


@pytest.mark.parametrize(
    ("cpu", "kernels"), [("cortex-m4", "dsp"), ("cortex-m7", "dsp"), ("cortex-m55", "mve")]
)
def test_headers_are_cplusplus_on_boards(cpu: str, kernels: str, tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-g++") is None:
        pytest.skip("arm-none-eabi-g++ is not installed")
    write_model(tmp_path, read_graph(NETWORKS["fire"]()), "person", kernels)
    float_abi = "hard" if kernels == "mve" else "soft"
    core = (f"-mcpu={cpu}", "-mthumb", f"-mfloat-abi={float_abi}", "-fno-exceptions")
    headers = (f"-I{FIRMWARE / 'include'}", f"-I{tmp_path}")
    run_command(
        *("arm-none-eabi-g++", "-std=c++11", *STRICT_CPLUSPLUS, *core, *headers, "-c"),
        *(HEADERS, "-o", tmp_path / "headers.o"),
    )
    names = run_command("arm-none-eabi-nm", "-u", tmp_path / "headers.o").decode().split()
    assert {name for name in names if "model" in name or "esq" in name} == {
        *("person_model", "esq_init", "esq_step", "esq_input_row", "esq_push_row", "esq_observed"),
    }
