"""The example of the package's own page runs as it stands, on this computer and emulated."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

import edgesq
from edgesq.flash import recorded
from support.doc_blocks import read_document
from support.paths import ROOT
from support.person import IMAGES, make_person

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
