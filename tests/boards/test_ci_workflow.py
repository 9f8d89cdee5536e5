"""The workflow for GitHub Actions in docs/how-to/ci: its steps are run in a scratch repository."""

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from support.paths import ROOT
from support.person import IMAGES, make_person

pytestmark = [pytest.mark.slow, pytest.mark.emulated]

WORKFLOW = ROOT / "docs" / "how-to" / "ci" / "edgesq.yml"
PROGRAMS = ("cmake", "make", "qemu-system-arm", "arm-none-eabi-gcc", "arm-none-eabi-size")
LIMIT_S = 300
LATER = "Verify"


@dataclass
class Pushed:
    """What a run of the workflow came to.

    Attributes:
        codes: exit codes of the steps that were run, by their names.
        said: what they printed.
        left_out: steps that were not run, and why.
    """

    codes: dict[str, int] = field(default_factory=dict)
    said: str = ""
    left_out: list[str] = field(default_factory=list)


def workflow() -> Any:
    return yaml.load(
        WORKFLOW.read_text(), yaml.BaseLoader
    )  # where `on` is a word, as GitHub has it


def push(repository: Path, env: Mapping[str, str], *, first: str | None = None) -> Pushed:
    """Run the steps from one of them on; a failure ends them, but for those `if: always()`."""
    (job,) = workflow()["jobs"].values()
    pushed = Pushed()
    steps = [step for step in job["steps"] if "run" in step]
    names = [step["name"] for step in steps]
    for step in steps[0 if first is None else names.index(first) :]:
        failed = any(pushed.codes.values())
        if failed and step.get("if") != "always()":
            continue
        if "apt-get" in step["run"] and all(map(shutil.which, PROGRAMS)):
            pushed.left_out.append(f"'{step['name']}': all of it is installed")
            continue
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=repository,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        pushed.codes[step["name"]] = done.returncode
        pushed.said += done.stdout + done.stderr
    return pushed


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    make_person(tmp_path)
    placed = tmp_path / ".github" / "workflows" / WORKFLOW.name
    placed.parent.mkdir(parents=True)
    shutil.copy(WORKFLOW, placed)
    return tmp_path


def command_folder(folder: Path) -> Path:
    """Make a folder with `edgesq` and `pip` as this environment has them."""
    folder.mkdir()
    for name, module in (("edgesq", "edgesq"), ("pip", "pip")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        script.chmod(0o755)
    return folder


def test_it_is_a_workflow() -> None:
    content = workflow()
    assert content["on"] == ["push", "pull_request"]
    (job,) = content["jobs"].values()
    assert all(("run" in step) != ("uses" in step) for step in job["steps"])
    assert all(
        re.fullmatch(r"[\w/-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step
    )
    kept = job["steps"][-1]
    assert kept["if"] == "always()"
    assert kept["with"]["path"].split() == ["results/", "build/edgesq/report.json"]


def test_each_step_does_as_the_workflow_says(repository: Path, tmp_path: Path) -> None:
    programs = command_folder(tmp_path / "programs")
    env = {
        **workflow()["env"],
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PIP_NO_INDEX": "1",  # edgesq is there: nothing is to be fetched
    }
    pushed = push(repository, env)
    for words in pushed.left_out:
        warnings.warn(f"a step of the workflow was not run: {words}", stacklevel=1)
    assert set(pushed.codes.values()) == {0}, pushed.said
    results = repository / "results"
    assert {path.name for path in results.iterdir()} == {"verify.json", "junit.xml", "verify.html"}
    content = json.loads((results / "verify.json").read_text())
    assert (content["run"]["images"], content["thresholds"]) == (2 * IMAGES, [])
    (repository / "ci").mkdir()
    baseline = repository / "ci" / "baseline.json"
    shutil.copy(results / "verify.json", baseline)
    _with_a_baseline(repository, env, baseline)


def _with_a_baseline(repository: Path, env: Mapping[str, str], baseline: Path) -> None:
    again = push(repository, env, first="Start the emulated board")
    assert set(again.codes.values()) == {0}, again.said
    assert again.said.count("holds: ") == 4
    content = json.loads(baseline.read_text())
    content["device"]["instructions"] = round(content["device"]["instructions"] / 1.02)
    baseline.write_text(json.dumps(content))
    worse = push(repository, env, first="Start the emulated board")
    assert worse.codes == {"Start the emulated board": 0, LATER: 1, "Stop the emulated board": 0}
    assert re.search(r"violated: instructions>\+1%: [\d,]+ in the baseline, [\d,]+ now", worse.said)
    suites = ElementTree.parse(repository / "results" / "junit.xml").getroot()
    assert suites[0].get("failures") == "1"
