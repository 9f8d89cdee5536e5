"""The example of the package's own page runs as it stands, on this computer and emulated."""

import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import edgesq
from edgesq.flash import recorded
from support.doc_blocks import read_document
from support.paths import ROOT

pytestmark = pytest.mark.slow

SIDE, IMAGES = 16, 12
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
    import keras

    folder = tmp_path_factory.mktemp("person")
    chance = np.random.default_rng(3)
    for photos in ("photos", "test_photos"):
        for level, name in ((60, "nobody"), (160, "person")):
            (folder / photos / name).mkdir(parents=True)
            for number in range(IMAGES):
                pixels = chance.integers(level, level + 60, (SIDE, SIDE, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(folder / photos / name / f"{number}.png")
    keras.utils.set_random_seed(1)
    layers = [
        keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers]).save(folder / "person.keras")
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
