"""`edgesq verify --fail-if`: exit codes, what is said, what is refused before a byte is sent."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import edgesq as package
from support.builds import edgesq, light_build, refused, words
from support.verify_runs import CONTENT, make_images


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    scratch = tmp_path_factory.mktemp("thresholds")
    images = np.load(make_images(scratch / "images.npz", 6))["input"]
    made = light_build(scratch / "build", "host", CONTENT, images)
    with package.load(made).flash():
        yield made


def test_a_violated_threshold_ends_with_1_and_says_so(build: Path, tmp_path: Path) -> None:
    base = tmp_path / "base.json"
    assert edgesq("verify", "--build", build, "--json", base).returncode == 0
    holds = ("--fail-if", "ram>+0", "--fail-if", "flash>+0%", "--baseline", base)
    result = edgesq("verify", "--build", build, *holds)
    assert (result.returncode, words(result.stderr)) == (0, "")
    assert result.stdout.count("holds: ") == 2
    content = json.loads(base.read_text())
    content["sizes"]["ram_bytes"] -= 600
    base.write_text(json.dumps(content))
    before, now = content["sizes"]["ram_bytes"], content["sizes"]["ram_bytes"] + 600
    out = tmp_path / "out.json"
    result = edgesq("verify", "--build", build, *holds, "--fail-if", "ram>+1K", "--json", out)
    assert result.returncode == 1
    line = f"ram>+0: {before:,} B in the baseline, {now:,} B now, the limit is {before:,} B"
    assert f"violated: {line}\n" in result.stdout
    assert result.stdout.count("holds: ") == 2
    assert "0 differing values" in result.stdout
    found = {
        row["expression"]: row["violated"] for row in json.loads(out.read_text())["thresholds"]
    }
    assert found == {"ram>+0": True, "flash>+0%": False, "ram>+1K": False}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--fail-if", "ram>+5"), "is a change, and there is no baseline"),
        (("--fail-if", "rma>5"), "'rma' is no metric .did you mean ram"),
        (("--fail-if", "ram"), "is no threshold"),
        (
            ("--fail-if", "ram>5", "--baseline", "none.json"),
            r"none.json: .*No such file or directory .see --b",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused_first(
    build: Path, tmp_path: Path, options: tuple[str, ...], says: str
) -> None:
    out = tmp_path / "out.json"
    refused(2, says, "verify", "--build", build, "--json", out, *options, cwd=tmp_path)
    assert not out.exists()


def test_a_figure_that_is_not_known_ends_with_2_and_keeps_the_report(
    build: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    says = "--fail-if instructions>5: this run does not say 'instructions'"
    refused(2, says, "verify", "--build", build, "--json", out, "--fail-if", "instructions>5")
    assert json.loads(out.read_text())["run"]["complete"]
