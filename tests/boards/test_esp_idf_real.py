"""The ESP-IDF components, built by a real ESP-IDF for its target `linux`, on its FreeRTOS."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgesq.link.transport import open_port
from edgesq.project import Layout
from support.boards import running
from support.camera import BIG, pattern, seen
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import check_verifies, classes_of, library, verify_build
from support.paths import STANDINS

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


def test_the_camera_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The camera is pretended: of esp32-camera there is none for `linux`."""
    made = library(tmp_path, Layout.ESP_IDF, NETWORKS[NETWORK](), "person")
    component = made.folder / "components" / "esp32-camera"
    shutil.copytree(STANDINS / "esp-idf" / "components" / "esp32-camera", component)
    (component / "CMakeLists.txt").write_text(
        "idf_component_register(SRCS camera.c INCLUDE_DIRS include)\n"
    )
    command = idf_build(made.folder / "examples" / "camera", tmp_path / "idf", monkeypatch)
    said = b""
    with running(command, tmp_path / "log") as (_, port), open_port(port) as line:
        while b"failed: no frame" not in said:
            heard = line.read(5.0)
            assert heard, said
            said += heard
    hwc = made.graph.tensors[made.graph.input].hwc
    images = [seen(pattern(n, 240, 320, 640, BIG), *hwc) for n in range(2)]
    classes = [f"class {number}" for number in classes_of(made.graph, np.stack(images))]
    assert [one for one in said.decode().splitlines() if one.startswith("class")] == classes
