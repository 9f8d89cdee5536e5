"""The example of the package's own page runs as it stands, on this computer and emulated."""

import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgesq
from edgesq.flash import recorded
from support.builds import light_build
from support.doc_blocks import read_document
from support.paths import ROOT
from support.person import IMAGES, make_person
from support.verify_runs import CONTENT, SHAPE

pytestmark = pytest.mark.slow

EMULATED = ("cortex-m", "stm32f405")


def examples() -> dict[str, str]:
    """Return what `import edgesq` shows as its use, and what the README does."""
    assert edgesq.__doc__ is not None
    (shown,) = re.findall(r"^    import edgesq\n\n(?:    .*\n)+", edgesq.__doc__, re.M)
    blocks = read_document(ROOT / "README.md").blocks
    of_readme = {
        f"README.md:{one.line}": one.text
        for one in blocks
        if one.language == "python" and "edgesq.export(" in one.text
    }
    return {"module": textwrap.dedent(shown), **of_readme}


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of two classes, and photos of them."""
    folder = tmp_path_factory.mktemp("person")
    make_person(folder)
    return folder


@pytest.mark.parametrize("which", examples())
@pytest.mark.parametrize(
    "target", ["host", *(pytest.param(name, marks=pytest.mark.emulated) for name in EMULATED)]
)
def test_the_example_runs(
    which: str, target: str, person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in person.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    code = re.sub(r'target="[^"]+"', f'target="{target}"', examples()[which])
    names: dict[str, Any] = {}
    exec(compile(code, which, "exec"), names)
    build, report = names["build"], names["report"]
    assert report.equal
    assert report.run.images == 2 * IMAGES
    assert (report.device.instructions is not None) == (target != "host")
    assert build.report.firmware.target == target
    assert recorded(build.folder) is None, "the board was left running"
    assert build.folder == Path("build/edgesq")


@pytest.mark.emulated
def test_a_build_goes_to_another_board(tmp_path: Path) -> None:
    images = np.random.default_rng(5).integers(-128, 128, (3, *SHAPE), np.int8)
    build = edgesq.load(light_build(tmp_path / "build", "host", CONTENT, images))
    with build.flash("stm32f405") as board:
        assert board.info.board == "stm32f405"
        report = board.verify(profile=True, fail_if=["instructions>1", "stack>1M"])
        there = [one.int8 for one in board.predict_batch(images)]
    assert build.report.firmware.target == "stm32f405"
    assert build.sizes is not None
    assert report.metrics["ram"] == build.sizes.ram_bytes
    assert build.sizes.ram_bytes < 192 * 1024
    assert (report.equal, report.passed) == (True, False)
    assert [one.violated for one in report.thresholds] == [True, False]
    np.testing.assert_array_equal(there, [one.int8 for one in build.predict_batch(images)])
