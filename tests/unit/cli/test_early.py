"""What can be said at once is said before the work: no model is opened for it."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgesq.builds import loading
from edgesq.cli import terminal
from edgesq.cli.app import app
from edgesq.errors import did_you_mean
from edgesq.zoo.demo import demo_model_path
from support.builds import COMMAND

MODEL = str(demo_model_path())


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is said on stderr; a model that is opened is an error."""

    def opened(*_: object) -> None:
        raise AssertionError("the model was opened")

    text = io.StringIO()
    monkeypatch.setattr(terminal, "err", type(terminal.err)(file=text))
    monkeypatch.setattr(loading, "open_model", opened)
    return text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["export", MODEL, "--calibration", "none"], "no such image folder"),
        (["export", MODEL, "--calibration", "empty"], "no images in this folder"),
        (["export", MODEL, "--calibration", "broken"], "manifest.json"),
        (["export", MODEL], "give --calibration FOLDER"),
        (["export", "none.keras"], "no such model file"),
        (["export", "--target", "discovery"], "did you mean stm32f407-discovery?"),
        (["export", "--out", "mine"], "exists and is not a build folder"),
        (["export", "--out", "file/out"], "cannot be written: Not a directory"),
        (["export", "--tflm-dir", "none"], "no such folder"),
        (["export", "--name", "9"], "is no C identifier"),
        (["export", "--kernels", "mve"], "cortex-m: runs no kernels 'mve'"),
        (["export", "--runtime", "tflm", "--kernels", "dsp"], "leave out --kernels"),
        (["plan", "--kernels", "scaler"], "did you mean scalar?"),
        (["export", "--compress", "9" * 400], "File name too long"),  # it is no size, so a model
        (["compare-runtimes", "--tflm-dir", "none"], "no such folder"),
        (["plan", "--picture", "none/x.svg"], "is in no folder that is there"),
        (["plan", "--json", "mine"], "cannot be written: Is a directory"),
        (["targets", "--fits", MODEL, "--json", "x" * 256], "File name too long"),
    ],
    ids=lambda value: " ".join(value[:3])[-40:] if isinstance(value, list) else None,
)
def test_no_model_is_opened_for_that(
    said: io.StringIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for name in ("mine", "broken"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").touch()
    (tmp_path / "broken" / "manifest.json").write_text("[" * 99_999)
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, "Traceback" in said.getvalue()) == (2, False), said.getvalue()
    assert says in said.getvalue()
    assert "ERROR" not in result.output


@pytest.mark.parametrize("option", ["--timeout", "--max-drop", "--optimize-accuracy"])
def test_no_number_is_not_one(option: str) -> None:
    command = "verify" if option == "--timeout" else "export"
    assert CliRunner().invoke(app, [command, f"{option}=nan"]).exit_code == 2


def test_what_may_be_meant() -> None:
    known = ["stm32f405", "stm32f407-discovery", "nucleo-h743zi", "host"]
    for word, meant in (
        ("F405", "stm32f405"),
        ("nucleo_h743zi", "nucleo-h743zi"),
        ("hots", "host"),
    ):
        assert did_you_mean(word, known).startswith(f"did you mean {meant}? known: stm32f405, ")
    assert (
        did_you_mean("zzz", known) == "known: stm32f405, stm32f407-discovery, nucleo-h743zi, host"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "code"),
    [("targets >&-", 0), ("inspect none 2>&-", 2), ("inspect none 2>/dev/full", 2)],
)
def test_exit_codes_are_true_where_nothing_can_be_said(shell: str, code: int) -> None:
    command = f"{' '.join(COMMAND)} {shell}"
    assert subprocess.run(["sh", "-c", command], capture_output=True).returncode == code


def test_a_reader_of_json_that_ends_early(tmp_path: Path) -> None:
    command = f"{sys.executable} -m edgesq targets --json - | head -c 9"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ('{\n  "sche', "")
