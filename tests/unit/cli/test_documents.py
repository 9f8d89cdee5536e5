"""`--json` of plan, inspect and targets, and what strings of others do to a terminal: nothing."""

import errno
import io
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from edgesq.cli import terminal
from edgesq.cli.app import app
from edgesq.cli.terminal import on_build, print_error, say, styled
from edgesq.errors import EdgesqError, printable
from edgesq.targets import list_targets
from support.networks import Network


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = Network((6, 6, 3))
    path = tmp_path_factory.mktemp("model") / "net.tflite"
    path.write_bytes(network.build(network.conv(network.input, 4, (3, 3))))
    return path


def document(*arguments: str | Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json", "-"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)  # and nothing else is there
    assert isinstance(found, dict)
    assert found.pop("schema") == 2
    return found


def test_plan_as_json(model: Path) -> None:
    found = document("plan", model, "--target", "esp32s3")
    assert found.keys() >= {
        *("model", "model_sha256", "target", "kernels", "estimated", "plan"),
        *("wide_layers", "is_compiled", "flash", "flash_parts", "ram", "curve"),
    }
    (operator,) = found["plan"]["operators"]
    assert operator["kinds"] == ["CONV_2D"]
    assert operator["output"] == [6, 6, 4]
    assert operator["macs"] == 6 * 6 * 4 * 3 * 3 * 3
    assert found["curve"][-1]["band_rows"] is None


def test_targets_as_json(model: Path) -> None:
    rows = document("targets")["targets"]
    assert [row["name"] for row in rows] == [one.name for one in list_targets()]
    fits = {row["name"]: row for row in document("targets", "--fits", model)["targets"]}
    spare = {"flash_to_spare_bytes": None, "ram_to_spare_bytes": None}
    assert fits["host"] == {"name": "host", "fits": True, "may_fit": True, **spare}
    assert fits["microbit"]["ram_to_spare_bytes"] > 0


def test_json_goes_into_a_file_beside_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "targets.json"
    result = CliRunner().invoke(app, ["targets", "--json", str(path)])
    assert f"Wrote {path}" in result.stdout
    assert "stm32f405" in result.stdout
    assert json.loads(path.read_text()).keys() == {"schema", "targets"}
    path.unlink()
    for wrong in (tmp_path, tmp_path / "none" / "x.json", tmp_path / ("x" * 256)):
        assert CliRunner().invoke(app, ["targets", "--json", str(wrong)]).exit_code == 2
    assert list(tmp_path.iterdir()) == []
    full = CliRunner().invoke(app, ["targets", "--json", "/dev/full"])
    assert full.exit_code == 2  # "No space left on device", which is no bug


HOSTILE = "a[/b][bold red]b[link=x]\x1b[31m\x1b]0;t\x07\r\n\u202eb\x9b\udcff :smile:"


@pytest.mark.parametrize("is_terminal", [False, True])
def test_strings_of_others_are_shown_as_they_are(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.StringIO()
    console = type(terminal.out)(file=said, force_terminal=is_terminal, width=400)
    monkeypatch.setattr(terminal, "err", console)
    table = terminal.table(HOSTILE, ["what"])
    table.add_row(HOSTILE)
    table.add_row(styled(HOSTILE, "bold"))
    console.print(table)
    say(HOSTILE, styled(HOSTILE, "red"), to=console)
    print_error(EdgesqError(HOSTILE, where=HOSTILE, hint=HOSTILE))
    with terminal.stages(2) as begin:
        begin(HOSTILE)
    text = said.getvalue()
    text.encode()  # no surrogate is left
    assert text.count("[bold red]b[link=x]") >= 8
    assert text.count(r"\x1b]0;t\x07") >= 7  # the message of an error is on one line
    assert not any(one in text for one in ("\x07", "\u202e", "\x9b", "\x1b]", "\x1b[31m\x1b"))


def test_printable_leaves_text_alone() -> None:
    assert printable("Größe 像素 1·1 -> ok") == "Größe 像素 1·1 -> ok"
    assert printable("a\x1b\n\udcff") == r"a\x1b\n\udcff"


def test_an_error_is_one_line_whatever_is_in_it() -> None:
    error = EdgesqError("it said:\n  no\u2028way\n", where="a\nb\x1b", hint="try\r[/b]\ud800")
    assert str(error) == r"a\nb\x1b: it said: no way (try\r[/b]\ud800)"


def test_what_to_do_next_is_quoted_for_a_shell() -> None:
    assert on_build("flash", Path("build/edgesq")) == "edgesq flash"
    assert on_build("flash", Path("a b;$(c)")) == "edgesq flash --build 'a b;$(c)'"


@pytest.mark.parametrize("name", [b"two\nlines", b"\x1b[31m", b"\xff\xfe", b"a'\\\t\xe2\x80\xaeb"])
def test_what_to_do_next_can_be_copied_whatever_the_name(name: bytes) -> None:
    command = on_build("printf", Path(os.fsdecode(name)))
    assert printable(command) == command
    words = f'set -- {command}; printf %s "$4"'
    assert subprocess.run(["bash", "-c", words], stdout=subprocess.PIPE).stdout == name


def test_a_folder_that_cannot_be_copied_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.StringIO()
    monkeypatch.setattr(terminal, "err", type(terminal.out)(file=said))
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "file").touch()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @terminal.command
    def copy() -> None:
        shutil.copytree(tmp_path / "from", tmp_path / "to", copy_function=full)

    with pytest.raises(typer.Exit) as raised:
        copy()
    assert raised.value.exit_code == 2
    line = "to/file: cannot be copied: [Errno 28] No space left on device (make room"
    assert line in said.getvalue()


def test_progress_begins_at_nothing_done(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(terminal, "err", type(terminal.out)(file=said))
    with terminal.stages(2) as begin:
        for name in ("one", "two"):
            begin(name)
    assert said.getvalue() == "[1/2] one\n[2/2] two\n"
    shown = io.StringIO()
    monkeypatch.setattr(terminal, "err", type(terminal.out)(file=shown, force_terminal=True))
    with terminal.stages(2) as begin:
        begin("one")
    assert "-1/2" not in shown.getvalue()
    assert "0/2" in shown.getvalue()


def test_a_disk_that_is_full_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(terminal, "err", type(terminal.out)(file=said))

    @terminal.command
    def save() -> None:
        try:
            with Path("/dev/full").open("wb") as file:
                np.save(file, np.zeros(9000))
        finally:
            raise ValueError("what closing an archive says then")

    with pytest.raises(typer.Exit) as ended:
        save()
    assert ended.value.exit_code == 2
    assert said.getvalue() == "error: No space left on device (make room)\n"
