"""`edgesq export --compress`: the size, the curve, and when it is refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from edgesq.api.sizes import size_of
from edgesq.builds import Compression, ExportOptions, export, read_report
from edgesq.cli.app import app
from edgesq.cli.sizes import with_sizes
from edgesq.errors import EdgesqError
from edgesq.formats.tflite import read_graph
from edgesq.targets import load_target
from support.networks import RECTIFIED, Network
from support.pictures import blobs

pytestmark = pytest.mark.slow

_REFUSED = r"lose ([\d.]+) points of top-1 \(nine times in ten [\d.]+ to [\d.]+\), 0 are allowed"

WEIGHTS = 32 * 9 * 3 + 48 * 32 + 40 * 9 * 48
"""Of the convolutions; portable kernels do not decode those of a dense layer."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model of 19,680 weights beside a dense layer and 40 images."""
    made = tmp_path_factory.mktemp("compress")
    net = Network((12, 12, 3), (1 / 128, 0))
    x = net.conv(net.input, 32, (3, 3), (2, 2), quant=RECTIFIED)
    x = net.conv(x, 48, quant=RECTIFIED)
    x = net.conv(x, 40, (3, 3), quant=RECTIFIED)
    scores = net.dense(x, 10, quant=(0.05, 0))
    (made / "model.tflite").write_bytes(net.build(net.softmax(scores)))
    (made / "images").mkdir()
    manifest = {"preprocessing": {"mean": [127.5] * 3, "scale": 1 / 127.5}}
    (made / "images" / "manifest.json").write_text(json.dumps(manifest))
    for number, pixels in enumerate(blobs(40)):
        picture = Image.fromarray((pixels.astype(int) + 128).astype("uint8"))
        picture.save(made / "images" / f"{number:02}.png")
    return made


def edgesq(folder: Path, *arguments: str) -> Any:
    common = ("--target", "host", "--out", str(folder / "out"))
    return CliRunner().invoke(app, ["export", str(folder / "model.tflite"), *common, *arguments])


@pytest.fixture(scope="module")
def plain_bytes(folder: Path) -> int:
    """What the image takes on this computer as it is, from a size that is not too small."""
    assert edgesq(folder, "--compress", "1M").exit_code == 0
    facts = read_report(folder / "out").compression
    assert facts is not None
    assert facts.chosen is None
    return facts.plain_bytes


def test_the_size_is_reached_and_the_curve_shown(folder: Path, plain_bytes: int) -> None:
    goal = plain_bytes - WEIGHTS // 2
    images = ("--calibration", str(folder / "images"))
    done = edgesq(folder, "--compress", str(goal), "--max-drop", "30", *images)
    assert done.exit_code == 0, done.output
    facts = read_report(folder / "out").compression
    assert facts is not None
    assert facts.chosen is not None
    assert 0.97 * goal < facts.chosen.image_bytes <= goal == facts.goal_bytes
    assert re.search(rf"{facts.chosen.image_bytes:,} +this image", done.output)
    sizes = [point.image_bytes for point in facts.curve]
    assert sizes == sorted(set(sizes))
    assert len(sizes) >= 4
    assert facts.curve[-1].kl < facts.curve[0].kl
    assert sum(layer.bytes for layer in facts.layers) == facts.chosen.weights_bytes
    assert (folder / "out" / "compression.svg").read_text().count("<circle") > 5


def test_every_form_of_the_compressed_model_is_equal(folder: Path) -> None:
    report = read_report(folder / "out")
    differing = {row.name: row.differing for row in report.parity.rows}
    assert differing["C runtime on this computer"] == 0
    assert differing["ONNX, integer operators"] == 0
    graph = read_graph((folder / "out" / "model_int8.tflite").read_bytes())
    assert report.model.sha256 == graph.sha256


def refusal(folder: Path, size: int | None, max_drop: float, images: bool = True) -> str:
    """Return what export says when it refuses."""
    options = ExportOptions(
        folder / "model.tflite",
        folder / "images" if images else None,
        load_target("host"),
        folder / "refused",
        compress=Compression(size, max_drop),
    )
    with pytest.raises(EdgesqError) as refused:
        export(options, lambda _: None)
    assert not options.out.exists()
    return str(refused.value)


def test_too_much_loss_is_refused_with_the_size_that_would_do(
    folder: Path, plain_bytes: int
) -> None:
    said = refusal(folder, plain_bytes - WEIGHTS // 2, 0.0)
    match = re.search(_REFUSED, said)
    assert match, said
    assert float(match[1]) > 0
    assert re.search(r"\(\d+ B would do|no size looked at would do", said)


def test_images_are_needed(folder: Path, plain_bytes: int) -> None:
    said = refusal(folder, plain_bytes - WEIGHTS // 2, 2.0, images=False)
    assert "give --calibration FOLDER with some 200 images" in said


def test_code_alone_does_not_fit(folder: Path) -> None:
    said = refusal(folder, 1000, 2.0)
    assert re.search(r"code and tables alone take \d+ B of flash, 1000 B are wanted", said)


def test_a_target_without_a_limit_needs_a_size(folder: Path) -> None:
    assert "give a size: --compress SIZE" in refusal(folder, None, 2.0)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["--compress"], ["--compress", "flash"]),
        (["--compress", "my.keras"], ["--compress", "flash", "my.keras"]),
        (["--compress", "512000", "m"], ["--compress", "512000", "m"]),
        (["m", "--compress", "--strict"], ["m", "--compress", "flash", "--strict"]),
        (["--compress=500K"], ["--compress=500K"]),
        (["--optimize-accuracy", "m"], ["--optimize-accuracy", "120", "m"]),
        (["--optimize-accuracy", "30.5"], ["--optimize-accuracy", "30.5"]),
    ],
)
def test_the_size_may_be_left_out(given: list[str], meant: list[str]) -> None:
    assert with_sizes(given) == meant


def test_sizes() -> None:
    sizes = [size_of(text) for text in ("512000", "500K", "0.5m", "1MB", "flash")]
    assert sizes == [512000, 512000, 524288, 1048576, None]
    with pytest.raises(EdgesqError, match="not a size"):
        size_of("half")
