"""The wheel, installed outside the checkout, exports, flashes the host board and verifies.

Its environment is empty but for edgesq itself: dependencies are borrowed from this one by a path
behind its own, so that nothing is downloaded.
"""

import json
import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import edgesq
from edgesq.resources import resource
from support.builds import Exported, words
from support.paths import ROOT

pytestmark = pytest.mark.slow

pytest_plugins = ("support.build_fixtures",)


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed without a word on stderr; return its stdout."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=clean, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, words(done.stderr)) == (0, ""), done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("the tests run outside the checkout")
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    done = subprocess.run([*build, str(ROOT)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the `bin` folder of an environment with the wheel in it."""
    home = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home)
    (packages,) = home.glob("lib/python*/site-packages")
    borrowed = "\n".join(site.getsitepackages())
    (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    return home / "bin"


def test_what_travels_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("targets", "firmware", "calibration_data"):
        source = resource(folder)
        files = {
            path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()
        }
        assert files
        assert {f"edgesq/_data/{folder}/{file}" for file in files} <= names
    assert {"edgesq/zoo/demo/demo.keras", "edgesq/zoo/demo/heldout.npz"} <= names
    assert "edgesq/_data/LICENSE" in names  # exported libraries carry it
    assert "edgesq/py.typed" in names  # else type checkers take nothing from edgesq
    assert {name.partition("/")[0] for name in names} == {
        "edgesq",
        f"edgesq-{edgesq.__version__}.dist-info",
    }
    assert not [name for name in names if "test" in name.lower() or "__pycache__" in name]


def test_the_wheel_brings_its_licence_and_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        info = f"edgesq-{edgesq.__version__}.dist-info"
        metadata = archive.read(f"{info}/METADATA").decode()
        entries = archive.read(f"{info}/entry_points.txt").decode()
        assert "Apache License" in archive.read(f"{info}/licenses/LICENSE").decode()
    assert "[console_scripts]\nedgesq = edgesq.cli:main\n" in entries
    assert "[pytest11]\nedgesq.api.fixtures = edgesq.api.fixtures\n" in entries
    assert "License-Expression: Apache-2.0" in metadata


def test_the_installed_wheel_is_what_runs(installed: Path, tmp_path: Path) -> None:
    code = "import edgesq, edgesq.resources as r; print(edgesq.__file__, r.resource('targets'))"
    for place in run(installed / "python", "-c", code, cwd=tmp_path).split():
        assert Path(place).is_relative_to(installed.parent)


def test_export_flash_verify_outside_the_checkout(
    installed: Path, tmp_path: Path, demo_export: Exported
) -> None:
    command = installed / "edgesq"
    run(command, "export", "--target", "host", cwd=tmp_path)
    assert "host" in run(command, "targets", cwd=tmp_path)
    run(command, "flash", cwd=tmp_path)
    try:
        said = run(command, "verify", "--count", "20", "--json", "out.json", cwd=tmp_path)
    finally:
        assert run(command, "flash", "--stop", cwd=tmp_path) == "stopped\n"
    assert "0 differing values" in said
    result = json.loads((tmp_path / "out.json").read_text())
    assert (result["run"]["images"], result["result"]["exact_images"]) == (20, 20)

    # The same model gives the same build, whoever exports it and wherever.
    mine, theirs = (
        json.loads((build / "report.json").read_text())
        for build in (tmp_path / "build" / "edgesq", demo_export.build)
    )
    pairs = mine.pop("files").items() ^ theirs.pop("files").items()
    assert sorted(pairs) == []
    assert mine == theirs
