"""The ESP-IDF components, built by a real ESP-IDF for its target `linux`, on its FreeRTOS."""

import os
from pathlib import Path

import pytest

from edgesq.project import Layout
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import check_verifies, library, verify_build

IDF_PATH = os.environ.get("IDF_PATH", "")
"""What `. export.sh` of ESP-IDF sets, as IDF_PYTHON_ENV_PATH."""

NETWORK = "every_operator"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not IDF_PATH, reason="IDF_PATH names no ESP-IDF"),
]


def idf_build(project: Path, build: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Build a project as `idf.py --preview set-target linux build` does; return its command."""
    monkeypatch.setenv("IDF_COMPONENT_MANAGER", "0")
    environment = os.environ.get("IDF_PYTHON_ENV_PATH")
    python = f"{environment}/bin/python" if environment else "python"
    options = ("-DIDF_TARGET=linux", "-DPYTHON_DEPS_CHECKED=1", f"-DPYTHON={python}")
    run_command("cmake", "-G", "Ninja", "-S", project, "-B", build, *options)
    run_command("cmake", "--build", build, "--parallel", "2")
    return [str(build / f"{project.name}.elf")]


def test_the_verifying_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = library(tmp_path, Layout.ESP_IDF, NETWORKS[NETWORK](), "person")
    command = idf_build(made.folder / "examples" / "verify", tmp_path / "idf", monkeypatch)
    build = verify_build(tmp_path / "edgesq", NETWORKS[NETWORK](), "host")
    device = check_verifies(build, command, tmp_path / "log")
    assert device["board"] == "linux"
    assert device["build"].endswith(" -O2")
