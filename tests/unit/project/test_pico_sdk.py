"""The Pico SDK's libraries: built by their CMake files against a stand-in, and by the SDK itself.

The stand-in's UART is standard input and output, so that the examples run here.
"""

import re
from pathlib import Path

import pytest

from edgesq.project import Layout
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import (
    STRICT,
    check_verifies,
    classified,
    cmake,
    library,
    pattern_class,
    verify_build,
)
from support.paths import STANDINS

pytestmark = pytest.mark.slow

STANDIN = STANDINS / "pico-sdk"
NETWORK = "every_operator"
WARNINGS = STRICT.replace(" -Wpedantic", "")


def test_the_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICO_SDK_PATH", str(STANDIN))
    content = NETWORKS[NETWORK]()
    made = library(tmp_path, Layout.PICO_SDK, content, "person")
    out = tmp_path / "verify"
    cmake(made.folder / "examples" / "verify", out, f"-DCMAKE_C_FLAGS={WARNINGS}")
    build = verify_build(tmp_path / "edgesq", content, "host")
    device = check_verifies(build, [str(out / "verify")], tmp_path / "log")
    assert (device["board"], device["clock_hz"]) == ("standin", 48_000_000)
    assert re.fullmatch(r"gcc [\d.]+ -O2", device["build"])

    example = made.folder / "examples" / "classify"
    folders = [made.folder / "edgesq" / "include", made.folder / "person_model"]
    archives = ("person_model/libperson_model.a", "edgesq/libedgesq.a", "libpico_stdlib.a")
    includes = [f"-I{folder}" for folder in (*folders, STANDIN / "include")]
    sources = [example / "main.c", *(out / name for name in archives)]
    program = tmp_path / "classify"
    run_command("gcc", *WARNINGS.split(), *includes, *sources, "-o", program)
    said = classified([str(program)], tmp_path / "log")
    assert re.fullmatch(rb"class %d in us: \d+" % pattern_class(made), said)


def test_without_the_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PICO_SDK_PATH", raising=False)
    made = library(tmp_path, Layout.PICO_SDK, NETWORKS["fire"](), "person")
    with pytest.raises(AssertionError, match="set PICO_SDK_PATH to its folder"):
        cmake(made.folder / "examples" / "classify", tmp_path / "out")
