"""The plugin for pytest, in runs of pytest of their own."""

import sys
from pathlib import Path

import numpy as np
import pytest

import edgesq
from edgesq.flash import recorded
from support.builds import light_build
from support.crun import run_command
from support.paths import ROOT
from support.verify_runs import CONTENT, make_images

pytest_plugins = ["pytester"]

TESTS = """
def test_the_board_is_exact(edgesq_build, edgesq_board, edgesq_report):
    assert edgesq_report.equal, edgesq_report
    assert edgesq_report.run.images == {images}
    assert edgesq_board.info.model_sha256 == edgesq_build.report.model.sha256

def test_it_is_the_same_board(edgesq_board, edgesq_report):
    assert edgesq_board.port == edgesq_report.link.port
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scratch = tmp_path_factory.mktemp("fixtures")
    images = np.load(make_images(scratch / "images.npz", 5))["input"]
    made = light_build(scratch / "build", "host", CONTENT, images)
    edgesq.load(made).compile()
    return made


@pytest.fixture
def ran(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return pytester


PLUGIN = ("-p", "edgesq.api.fixtures")


def test_a_board_is_started_for_the_session_and_stopped(ran: pytest.Pytester, folder: Path) -> None:
    ran.makepyfile(TESTS.format(images=5))
    ran.runpytest_subprocess(*PLUGIN, "--edgesq-build", folder).assert_outcomes(passed=2)
    assert recorded(folder) is None


def test_a_failing_test_stops_the_board_too(ran: pytest.Pytester, folder: Path) -> None:
    ran.makepyfile("def test_it(edgesq_board):\n    assert edgesq_board.port == 'none'\n")
    ran.runpytest_subprocess(*PLUGIN, "--edgesq-build", folder).assert_outcomes(failed=1)
    assert recorded(folder) is None


def test_each_process_of_xdist_has_a_board_of_its_own(ran: pytest.Pytester, folder: Path) -> None:
    pytest.importorskip("xdist")
    ran.makepyfile(one=TESTS.format(images=5), two=TESTS.format(images=5))
    options = ("-p", "xdist", "-n", "2", "--dist", "loadfile", "one.py", "two.py")
    done = ran.runpytest_subprocess(*PLUGIN, *options, "--edgesq-build", folder)
    done.assert_outcomes(passed=4)


def test_a_board_at_a_port_goes_on_running(
    ran: pytest.Pytester, folder: Path, tmp_path: Path
) -> None:
    images = make_images(tmp_path / "three.npz", 3, seed=1)
    ran.makepyfile(TESTS.format(images=3))
    with edgesq.load(folder).flash() as board:
        options = ("--edgesq-port", board.port, "--edgesq-images", images)
        done = ran.runpytest_subprocess(*PLUGIN, "--edgesq-build", folder, *options)
        done.assert_outcomes(passed=2)
        assert board.info.board == "host"


def test_without_a_build_tests_are_skipped_and_say_why(ran: pytest.Pytester) -> None:
    ran.makepyfile(TESTS.format(images=5))
    done = ran.runpytest_subprocess(*PLUGIN, "-rs")
    done.assert_outcomes(skipped=2)
    done.stdout.fnmatch_lines(["*no --edgesq-build BUILD was given*"])


def test_what_cannot_be_done_is_told_in_a_line(ran: pytest.Pytester, folder: Path) -> None:
    ran.makepyfile(TESTS.format(images=5))
    done = ran.runpytest_subprocess(*PLUGIN, "--edgesq-build", "none")
    done.assert_outcomes(errors=2)
    done.stdout.fnmatch_lines(["edgesq: none: not a build folder (run `edgesq export` first)"])
    assert "Traceback" not in done.stdout.str()
    done = ran.runpytest_subprocess(*PLUGIN, "--edgesq-build", folder, "--edgesq-port", "/dev/none")
    done.stdout.fnmatch_lines(["edgesq: /dev/none: *"])


def test_who_does_not_use_it_loads_nothing_of_it(ran: pytest.Pytester) -> None:
    script = (
        "import pytest, sys; before = set(sys.modules); import edgesq.api.fixtures; "
        "print(*(set(sys.modules) - before))"
    )
    loaded = set(run_command(sys.executable, "-c", script).decode().split())
    ours = {"edgesq", "edgesq.api", "edgesq.api.fixtures", "edgesq.errors", "edgesq.version"}
    assert {name for name in loaded if not name.startswith("importlib")} <= ours | {"difflib"}
    ran.makepyfile("import sys\n\ndef test_it():\n    assert 'numpy' not in sys.modules\n")
    ran.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)
