"""Fixtures with exported builds; a test module asks for them with `pytest_plugins`."""

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.builds import Exported, Place, edgesq, stop_and_check
from support.lookups import listening


@pytest.fixture(scope="session")
def demo_export(shared_folder: Path) -> Exported:
    """Export the demo model by the command, once for all processes of this run."""
    folder = shared_folder / "demo_export"
    with (shared_folder / "demo_export.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "stdout").exists():
            folder.mkdir(exist_ok=True)
            env = listening(folder)
            result = edgesq("export", "--target", "host", "--out", folder / "build", env=env)
            (folder / "stdout").write_text(result.stdout)
            (folder / "stderr").write_text(result.stderr)
    said = [(folder / name).read_text() for name in ("stdout", "stderr")]
    assert (folder / "build").is_dir(), said
    return Exported(folder / "build", *said)


@pytest.fixture
def demo(demo_export: Exported, tmp_path: Path) -> Iterator[Path]:
    """Copy the demo build, compiled for `host`; stop its board at the end."""
    build = tmp_path / "build"
    unused = shutil.ignore_patterns("*.onnx", "model_tflite.*")
    shutil.copytree(demo_export.build, build, ignore=unused)
    yield build
    try:
        stop_and_check(build)
    finally:
        shutil.rmtree(build)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "tmp").mkdir()
    return Place(tmp_path)
