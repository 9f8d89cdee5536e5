"""Fixtures that several test files share, made once per run."""

import os
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from support.crun import Runtime
from support.ladder import LadderModels
from support.paths import ROOT

EMULATION_TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm", "cmake")
SLOW_FIXTURES = {"ladder_models", "demo_export"}
"""They quantize Keras models, or export the demo."""


def pytest_configure() -> None:
    """Have CMake compile a file of the runtime once, in however many folders tests build it."""
    cache = shutil.which("ccache")
    if cache is not None:
        launchers = (f"CMAKE_{language}_COMPILER_LAUNCHER" for language in ("C", "ASM"))
        os.environ.update(dict.fromkeys(launchers, cache))
        folder = str(ROOT / "build" / "ccache")
        os.environ.update(CCACHE_DIR=folder, CCACHE_BASEDIR="/", CCACHE_NOHASHDIR="1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a slow fixture as slow."""
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that start an emulator where there is none, before any fixture is made."""
    if item.get_closest_marker("emulated"):
        missing = [tool for tool in EMULATION_TOOLS if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"{', '.join(missing)} not installed")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share; see `ladder.once`."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def ladder_models(shared_folder: Path) -> LadderModels:
    return LadderModels(shared_folder)


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(tmp_path_factory.mktemp("runtime"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how long each room of the tests took, and which blocks of pages were not run."""
    tests, seconds = Counter[str](), defaultdict[str, float](float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                room = report.nodeid.partition("::")[0].rpartition("/")[0].removeprefix("tests/")
                tests[room] += report.when == "call"
                seconds[room] += report.duration
    _say_not_run(terminalreporter)
    if len(seconds) > 1:
        terminalreporter.section("seconds by room, those of parallel workers added")
        for room, taken in sorted(seconds.items(), key=lambda item: -item[1]):
            terminalreporter.write_line(f"{taken:8.0f} s  {tests[room]:5d} tests  {room}")


def _say_not_run(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the blocks of the pages that were run, and name those that were not, and why."""
    said = [
        one
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        if report.when == "call"
        for one in report.user_properties
    ]
    not_run = [str(value) for name, value in said if name == "not run"]
    run = sum(int(str(value)) for name, value in said if name == "run")
    if not_run:
        terminalreporter.section(f"blocks of pages: {run} run, {len(not_run)} not run here")
        for line in sorted(not_run):
            terminalreporter.write_line(line)
