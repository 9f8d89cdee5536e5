"""No command tells anybody that it runs: no name is looked up, also not by the libraries."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.builds import Exported, edgesq
from support.lookups import heard, listening

pytestmark = pytest.mark.slow

pytest_plugins = ("support.build_fixtures",)


def test_look_ups_are_heard(tmp_path: Path) -> None:
    script = "import socket; socket.getaddrinfo('localhost', 80)"
    env = {**os.environ, **listening(tmp_path)}
    subprocess.run([sys.executable, "-c", script], env=env, check=True)
    assert "localhost" in heard(tmp_path)


def test_export_looks_nothing_up(demo_export: Exported) -> None:
    assert heard(demo_export.build.parent) == ""


def test_flash_and_verify_look_nothing_up(demo: Path, tmp_path: Path) -> None:
    env = listening(tmp_path)
    assert edgesq("flash", "--build", demo, env=env).returncode == 0
    said = edgesq("verify", "--build", demo, "--count", "5", env=env)
    assert said.returncode == 0, said.stderr
    assert heard(tmp_path) == ""


RUNS = """
import sys, time
import edgesq.verify
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
(entry,) = session.get_inputs()
session.run(None, {entry.name: np.zeros(entry.shape, np.int8)})
time.sleep(12)  # it looks its vendor's host up after some 8 seconds, where that is not turned off
"""


def test_onnx_runtime_looks_nothing_up(demo_export: Exported, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    command = [sys.executable, "-c", RUNS, str(demo_export.build / "model_int8.onnx")]
    subprocess.run(command, env={**clean, **listening(tmp_path)}, check=True, timeout=100)
    assert heard(tmp_path) == ""
