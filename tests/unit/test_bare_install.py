"""Commands where only what `pip install edgesq` brings can be imported."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgesq.extras import LITERT
from support.bare import others, without
from support.builds import Exported, edgesq, refused, stop_and_check, words
from support.networks import Network

pytestmark = pytest.mark.slow

pytest_plugins = ("support.build_fixtures",)

BARE = without(others())
NO_LITERT = without({*others(), LITERT})
CONVERT = r"needs {} \(pip install 'edgesq\[convert\]'\)"


def done(*arguments: str | Path, env: dict[str, str]) -> str:
    result = edgesq(*arguments, env=env)
    assert (result.returncode, words(result.stderr)) == (0, ""), result.stdout
    return result.stdout


@pytest.fixture
def build(demo_export: Exported, tmp_path: Path) -> Iterator[Path]:
    """A build as another machine has exported it, ONNX files and all."""
    build = tmp_path / "build"
    shutil.copytree(demo_export.build, build)
    yield build
    stop_and_check(build)


@pytest.fixture(scope="module")
def tflite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    net = Network((6, 6, 3))
    path = tmp_path_factory.mktemp("model") / "small.tflite"
    path.write_bytes(net.build(net.softmax(net.mean(net.conv(net.input, 4, (3, 3))))))
    return path


def test_the_environment_is_bare() -> None:
    names = others()
    heavy = {"tensorflow", "keras", "onnx", "onnxruntime", "tf2onnx", "h5py", "sklearn", "pytest"}
    assert heavy <= names
    assert names.isdisjoint({"edgesq", "numpy", "serial", "PIL", "msgspec", "typer", LITERT})


def test_a_build_of_another_machine(build: Path, tmp_path: Path) -> None:
    assert "Wrote" not in done("inspect", build, env=BARE)
    done("flash", "--build", build, env=BARE)
    json_, html, junit = (tmp_path / name for name in ("v.json", "v.html", "v.xml"))
    written = ("--json", json_, "--html", html, "--junit", junit)
    looking = ("--layers", "--profile", "--count", "4")
    said = done("verify", "--build", build, *looking, *written, env=BARE)
    assert "0 differing values: host computes exactly what TFLite BUILTIN_REF does" in said
    report = json.loads(json_.read_text())
    note = "cannot be run: needs ONNX Runtime (pip install 'edgesq[convert]')"
    assert [row["note"] for row in report["comparisons"] if not row["outputs"]] == [note] * 2
    assert html.stat().st_size > 1000
    assert "<testsuite" in junit.read_text()


def test_verify_without_litert(build: Path) -> None:
    """Where there is no wheel of it, as on 32-bit Arm."""
    done("flash", "--build", build, env=NO_LITERT)
    said = done("verify", "--build", build, "--count", "4", "--layers", env=NO_LITERT)
    assert "0 differing values: host computes exactly what numpy reference does" in said
    report = json.loads((build / "verify.json").read_text())
    assert report["comparisons"][0]["against"] == "numpy reference"


@pytest.mark.parametrize("env", [BARE, NO_LITERT], ids=["bare", "without LiteRT"])
def test_what_a_model_takes(tflite: Path, env: dict[str, str]) -> None:
    assert "Arena" in done("plan", tflite, "--target", "host", env=env)
    assert "stm32f405" in done("targets", "--fits", tflite, env=env)


def test_export_of_an_int8_model_leaves_onnx_out(tflite: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = edgesq("export", tflite, "--target", "host", "--out", out, env=BARE)
    assert result.returncode == 0, result.stderr
    warning = "ONNX files are left out: needs ONNX (pip install 'edgesq[convert]')"
    assert warning in result.stderr
    assert sorted(path.name for path in out.glob("*.onnx")) == []
    report = json.loads((out / "report.json").read_text())
    rows = {row["name"]: row for row in report["parity"]["rows"]}
    assert rows["C runtime on this computer"]["differing"] == 0
    assert rows["ONNX, integer operators"]["differing"] is None


@pytest.mark.parametrize(
    ("arguments", "needs"),
    [
        (("export",), "TensorFlow"),
        (("plan",), "TensorFlow"),
        (("export", "{}.tflite", "--compress"), "TensorFlow"),
        (("export", "{}.keras", "--calibration", "."), "TensorFlow"),
        (("plan", "{}.h5"), "TensorFlow"),
        (("targets", "--fits", "{}.onnx"), "ONNX"),
        (("export", "{}.onnx"), "ONNX"),
        (("evaluate", "--images", "."), "ONNX"),
    ],
)
def test_what_needs_an_extra_says_so(
    tmp_path: Path, arguments: tuple[str, ...], needs: str
) -> None:
    """The file need not even be a model: nothing can be done without the extra."""
    for suffix in ("tflite", "keras", "h5", "onnx"):
        (tmp_path / f"a.{suffix}").touch()
    words_ = [one.format(tmp_path / "a") for one in arguments]
    refused(2, CONVERT.format(needs), *words_, cwd=tmp_path, env=BARE)


@pytest.mark.parametrize("command", ["export", "compare-runtimes"])
def test_what_needs_litert_says_so(tflite: Path, tmp_path: Path, command: str) -> None:
    refused(2, r"needs LiteRT \(.*32 bit\)", command, tflite, cwd=tmp_path, env=NO_LITERT)


def test_small_commands() -> None:
    for arguments in (["--version"], ["--help"], ["targets"], ["schema", "report"]):
        assert done(*arguments, env=NO_LITERT)
