"""Generated C: pure, deterministic, guarded, and what the model says."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgesq.codegen import LAYOUT_VERSION, generate, tflite_array
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels.initializer import comment, row, rows
from edgesq.plan import make_plan
from edgesq.project import run_batch
from edgesq.project.build import STRICT_FLAGS
from edgesq.reference import run_observed
from edgesq.resources import resource
from support.cases import NETWORKS
from support.crun import compile_c, run_command
from support.ladder import LadderModels
from support.networks import images
from support.paths import CKERNELS, TESTS

NETWORK = "dense_blocks"


def generated(name: str = NETWORK) -> dict[str, str]:
    graph = read_graph(NETWORKS[name]())
    return generate(graph, make_plan(graph), "portable")


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)


def runtime_sources() -> list[Path]:
    return sorted((resource("firmware") / "src").rglob("*.c"))


def macro(header: str, name: str) -> str:
    match = re.search(rf"^#define {name} (.+)$", header, re.MULTILINE)
    assert match, name
    return match[1]


def test_files() -> None:
    assert sorted(generated()) == ["model_data.h", "my_app.c", "my_model.c", "my_model.h"]


def test_weights_in_ram_are_marked_and_no_others() -> None:
    graph = read_graph(NETWORKS[NETWORK]())
    plan = make_plan(graph)
    first, every = (
        generate(graph, replace(plan, in_ram=frozenset(ops)), "portable")
        for ops in ([0], range(len(plan.ops)))
    )
    marked = re.findall(
        r"^static const ESQ_IN_RAM .*?(\w+_\d+)\b", first["my_model.c"], re.MULTILINE
    )
    assert "params_0" in marked
    assert all(name.endswith("_0") for name in marked)
    text = every["my_model.c"]
    assert re.findall(r"^static const (?!ESQ_IN_RAM).*?_\d+\b", text, re.MULTILINE) == []
    assert every | {"my_model.c": text.replace("ESQ_IN_RAM ", "")} == generated()


def test_where_no_section_is_told_weights_in_ram_stay_constants() -> None:
    graph = read_graph(NETWORKS[NETWORK]())
    plan = make_plan(graph)
    files = generate(graph, replace(plan, in_ram=frozenset(range(len(plan.ops)))), "portable")
    inputs = images(graph.tensors[graph.input].hwc)
    found = run_batch(graph, files, inputs)
    assert all(map(np.array_equal, found, run_observed(graph, inputs)))


def test_same_input_same_text() -> None:
    assert generated() == generated()


_GENERATE = """
import sys
sys.path[:0] = {folders!r}
from test_generate import generated
from edgesq.graph import digest
print(digest("".join(generated().values()).encode()))
"""


def test_hash_seeds_do_not_show() -> None:
    script = _GENERATE.format(folders=[str(TESTS), str(Path(__file__).parent)])
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_neither_paths_nor_dates(ladder_models: LadderModels) -> None:
    model = ladder_models["demo"]
    graph = read_graph(model.tflite)
    files = generate(graph, make_plan(graph), "portable") | tflite_array(model.tflite, "demo")
    for name, text in files.items():
        assert str(Path.cwd()) not in text, name
        assert not re.search(r"/(?:home|work|tmp|root|usr)/", text), name
        assert not re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|__(DATE|TIME|FILE)__", text), name
        assert text.isascii(), name


def test_header_says_what_the_model_is() -> None:
    graph = read_graph(NETWORKS["flatten_moves_rows"]())
    plan = make_plan(graph)
    header = generate(graph, plan, "portable", "person")["person_model.h"]
    assert macro(header, "PERSON_MODEL_SHA256") == f'"{graph.sha256}"'
    values = re.findall(r"0x(\w\w)", macro(header, "PERSON_MODEL_SHA256_BYTES"))
    assert "".join(values) == graph.sha256
    assert macro(header, "PERSON_MODEL_KERNELS") == '"portable"'
    expected = {
        "PERSON_MODEL_ARENA_BYTES": plan.arena_bytes,
        "PERSON_MODEL_OP_COUNT": len(plan.ops),
        "PERSON_MODEL_OBSERVED_COUNT": 2,
        "PERSON_MODEL_OBSERVED_BYTES": 72,
    }
    assert {name: macro(header, name) for name in expected} == {
        name: f"{value}u" for name, value in expected.items()
    }


def compile_with_headers(folder: Path, include: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["gcc", *STRICT_FLAGS, f"-I{include}", "-c", folder / "my_model.c", "-o", os.devnull],
        capture_output=True,
        text=True,
    )


def test_another_layout_version_does_not_compile(tmp_path: Path) -> None:
    write(tmp_path, generated())
    include = tmp_path / "include"
    shutil.copytree(resource("firmware") / "include", include)
    assert compile_with_headers(tmp_path, include).returncode == 0
    header = include / "edgesq.h"
    ours = f"#define ESQ_LAYOUT_VERSION {LAYOUT_VERSION}\n"
    assert ours in header.read_text()
    header.write_text(header.read_text().replace(ours, f"#define ESQ_LAYOUT_VERSION {99}\n"))
    refused = compile_with_headers(tmp_path, include)
    assert refused.returncode != 0
    assert (
        f"this data has layout version {LAYOUT_VERSION}: export the model again" in refused.stderr
    )


def test_templates_leave_nothing_open() -> None:
    for name in NETWORKS:
        for text in generated(name).values():
            assert "$" not in text, name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fire2/squeeze1x1", "fire2/squeeze1x1"),
        ("*/ int x; /*", "_/ int x; /_"),
        ("line\nfeed\0", "line_feed_"),
        ("caf\xe9 \u2603", "caf_ _"),
    ],
)
def test_comments_cannot_end_early(name: str, text: str) -> None:
    assert comment(name) == text


def test_hostile_names_compile(tmp_path: Path) -> None:
    graph = read_graph(NETWORKS["strange_names"]())
    hostile = Graph(
        graph.tensors,
        tuple(type(op)(**{**vars(op), "name": '*/ #error "/* \\'}) for op in graph.ops),
        graph.inputs,
        graph.outputs,
        graph.sha256,
    )
    write(tmp_path, generate(hostile, make_plan(hostile), "portable"))
    done = compile_with_headers(tmp_path, resource("firmware") / "include")
    assert (done.returncode, done.stderr) == (0, "")


def test_numbers_as_initialisers() -> None:
    assert row([1, -2]) == "1, -2"
    assert rows(range(25)) == f"    {row(range(24))},\n    24,"
    assert rows([]) == ""


def test_the_engine_refuses_wrong_calls(tmp_path: Path) -> None:
    write(tmp_path, generated("softmax_of_every_pixel"))
    program = tmp_path / "engine"
    sources = [CKERNELS / "engine.c", tmp_path / "my_model.c", *runtime_sources()]
    compile_c(f"-I{tmp_path}", *sources, "-o", program)
    run_command(program)


def test_tflite_array(tmp_path: Path) -> None:
    content = NETWORKS[NETWORK]()
    write(tmp_path, tflite_array(content, '*/ #error "/*'))
    program = tmp_path / "array"
    sources = (CKERNELS / "tflite_array.c", tmp_path / "model_tflite.c")
    compile_c(f"-I{tmp_path}", *sources, "-o", program)
    assert run_command(program) == content


def test_tflite_array_header_is_cplusplus_too(tmp_path: Path) -> None:
    write(tmp_path, tflite_array(b"TFL3" * 4, "tiny"))
    (tmp_path / "main.cc").write_text(
        '#include "model_tflite.h"\n'
        "unsigned char last() { return model_tflite[MODEL_TFLITE_BYTES - 1]; }\n"
    )
    compiler = ("arm-none-eabi-g++", "-mcpu=cortex-m4", "-mthumb", "-Wall", "-Wextra", "-Werror")
    run_command(*compiler, "-c", tmp_path / "main.cc", "-o", tmp_path / "main.o")
    names = run_command("arm-none-eabi-nm", tmp_path / "main.o").decode()
    assert "U model_tflite\n" in names, "the C name, not a C++ one"
