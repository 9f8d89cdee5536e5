"""The accuracy report: intervals, ranks, classes, noise by layer, and the command."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from edgesq.accuracy import AccuracyReport, evaluate, share
from edgesq.accuracy.noise import layer_noise, sqnr_db
from edgesq.accuracy.score import class_scores, form_score
from edgesq.builds import TFLITE, read_float_weights, write_report
from edgesq.builds.optimize import FLOAT_WEIGHTS
from edgesq.calibrate import Judge, Preprocessing
from edgesq.cli.app import app
from edgesq.errors import ImageError
from edgesq.formats.float_weights import float_weights
from edgesq.formats.tflite import read_graph
from edgesq.formats.tflite.rewrite import TensorChange, rewrite
from edgesq.quantize import captured_output, to_int8_tflite
from edgesq.records import json_text, made
from edgesq.repair.state import Quantized
from edgesq.verify import Verified, VerifyReport, recall
from edgesq.verify.history import remember
from edgesq.verify.images import open_images
from support.keras_networks import UNEVEN_SHAPE, uneven_fire
from support.reports import report_of

pytestmark = pytest.mark.slow

PIXELS = np.random.default_rng(3).integers(0, 256, (20, *UNEVEN_SHAPE), np.uint8)
FLOATS = Preprocessing().to_float(PIXELS)


@pytest.fixture(scope="module")
def model() -> Quantized:
    with captured_output():
        made = uneven_fire()
    content = to_int8_tflite(made, (image[np.newaxis] for image in FLOATS))
    return Quantized(content, read_graph(content), float_weights(made, content))


@pytest.fixture
def build(tmp_path: Path, model: Quantized) -> Path:
    """What `evaluate` needs of a build folder."""
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / TFLITE).write_bytes(model.content)
    write_report(folder, report_of())
    arrays = {
        f"{name}/{kind}": value
        for name, weights in model.weights.items()
        for kind, value in vars(weights).items()
    }
    np.savez(folder / FLOAT_WEIGHTS, allow_pickle=False, **arrays)
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten classes of two pictures."""
    folder = tmp_path / "photos"
    for number, pixels in enumerate(PIXELS):
        place = folder / f"{number % 10}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number:02}.png")
    return folder


# Shares


@pytest.mark.parametrize(
    ("hits", "images", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson_intervals_as_published(hits: int, images: int, low: float, high: float) -> None:
    """R. G. Newcombe, Statistics in Medicine 17, 1998, table I, method 3; 29 of 29 mirrored."""
    found = share(hits, images)
    assert found.share == hits / images
    assert [found.low, found.high] == pytest.approx([low, high], abs=6e-5)


def test_ranks_count_the_first_of_equal_scores() -> None:
    scores = np.array([[1, 3, 3, 0, 0, 0, 0], [1, 3, 3, 0, 0, 0, 0], [9, 8, 7, 6, 5, 4, 3]])
    found = form_score("x", scores.astype(np.float32), np.array([1, 2, 5]), None)
    assert (found.top1.hits, found.top5 and found.top5.hits) == (1, 2)
    assert found.agreement is None
    same = form_score("x", scores.astype(np.float32), np.array([1, 2, 5]), scores.astype("f4"))
    assert (same.agreement, same.kl) == (1.0, 0.0)


def test_classes_that_lose_come_first() -> None:
    labels = np.array([0, 0, 1, 1, 2])
    rows = class_scores(labels, np.array([0, 0, 1, 1, 0]), np.array([0, 0, 0, 1, 2]), ("a", "b"))
    assert [(row.label, row.name, row.images) for row in rows] == [
        (1, "b", 2),
        (0, "a", 2),
        (2, "", 1),
    ]
    assert [(row.float_right, row.int8_right) for row in rows] == [(2, 1), (2, 2), (0, 1)]


# Layers


def noise(model: Quantized) -> dict[str, float]:
    tensor = model.graph.tensors[model.graph.input]
    int8 = np.round(FLOATS / tensor.scale + tensor.zero_point).astype(np.int8)
    rows = layer_noise(model.graph, model.content, model.weights, [FLOATS], int8, Judge(10))
    assert [row.name for row in rows][:2] == ["conv1", "squeeze"]
    for row in rows:
        assert row.sqnr_db is not None
        assert row.own_sqnr_db is not None
        assert row.sqnr_db < row.own_sqnr_db + 1
    return {row.name: row.own_kl for row in rows}


def test_noise_by_layer_points_to_the_one_that_is_spoilt(model: Quantized) -> None:
    """The levels of conv10 get sixteen times as coarse; no other layer's own noise changes."""
    before = noise(model)
    op = next(op for op in model.graph.ops if op.name == "conv10")
    tensor = model.graph.tensors[op.output]
    change = TensorChange(scale=(tensor.scale * 16,), zero_point=tensor.zero_point)
    content = rewrite(model.content, {tensor.name: change})
    after = noise(Quantized(content, read_graph(content), model.weights))
    assert max(after, key=lambda name: after[name]) == "conv10"
    assert after["conv10"] > 20 * before["conv10"]
    assert after["expand3"] == before["expand3"]


def test_sqnr() -> None:
    signal = np.array([3.0, 4.0], np.float32)
    assert sqnr_db(signal, signal + np.float32(0.5)) == pytest.approx(10 * np.log10(25 / 0.5))
    assert sqnr_db(signal, signal) is None


# The whole


def test_evaluate(build: Path, photos: Path, model: Quantized) -> None:
    report = evaluate(build, photos)
    labels = np.sort(np.arange(20) % 10)
    order = np.argsort(np.arange(20) % 10, kind="stable")
    said = np.asarray(uneven_fire()(FLOATS[order])).argmax(axis=1)
    forms = {form.form: form for form in report.forms}
    assert list(forms) == ["float", "TFLite int8", "ONNX int8"]
    assert forms["float"].top1.hits == np.count_nonzero(said == labels)
    assert forms["TFLite int8"].top1 == forms["ONNX int8"].top1
    assert forms["float"].agreement == 1.0
    assert report.images == 20
    assert report.layer_images == 16
    assert report.hurts in {row.name for row in report.layers}
    assert sum(row.images for row in report.classes) == 20
    assert any("no device" in note for note in report.notes)
    assert made(AccuracyReport, json.loads(json_text(report))) == report
    assert report.model_sha256 == model.graph.sha256


def test_the_device_counts_if_it_saw_these_images(build: Path, photos: Path) -> None:
    """What `verify` found of other images says nothing here."""
    graph = read_graph((build / TFLITE).read_bytes())
    images = open_images(build, graph, photos, None)
    same = Verified(graph.sha256, images.identity, 20, 0.45, 0.9)
    device = evaluate(build, photos, device=same).forms[-1]
    assert (device.form, device.top1.hits, device.agreement) == ("device", 9, None)
    assert device.top5 is not None
    assert device.top5.hits == 18
    other = dataclasses.replace(same, images_identity="another set")
    assert evaluate(build, photos, count=2, device=other).forms[-1].form == "ONNX int8"


def test_the_last_run_of_these_images_is_found(build: Path, photos: Path) -> None:
    """Wherever its report went, and whatever was verified after it."""
    graph = read_graph((build / TFLITE).read_bytes())
    identity = open_images(build, graph, photos, 4).identity
    for accuracy in (0.25, 0.75):
        remember(build, run_of(graph.sha256, identity, 4, accuracy))
    for number in range(60):
        remember(build, run_of(graph.sha256, f"other {number}", 4, 1.0))
        remember(build, run_of(graph.sha256, identity, 4, 0.5))
    assert evaluate(build, photos, count=4).forms[-1].top1.hits == 2
    assert recall(build, graph.sha256, identity, 5) is None
    assert recall(build, graph.sha256, "other 59", 4) is not None
    assert recall(build, graph.sha256, "other 0", 4) is None
    (build / "verified.json").write_text('{"runs": [{"images": "x"}]}')
    assert recall(build, graph.sha256, identity, 4) is None


def run_of(model: str, identity: str, images: int, accuracy: float) -> VerifyReport:
    run = SimpleNamespace(model_sha256=model, images_identity=identity, images=images)
    found = SimpleNamespace(run=run, accuracy=SimpleNamespace(top1=accuracy, top5=1.0))
    return cast(VerifyReport, found)


def test_the_command_shows_it_and_writes_json(build: Path, photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "accuracy.json"
    arguments = ["evaluate", "--build", build, "--images", photos, "--json", path]
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    for words in ("top-1", "ONNX int8", "noise by layer", "conv10"):
        assert words in done.output
    assert json.loads(path.read_text())["images"] == 20


def test_an_int8_model_alone_has_no_float_column(build: Path, photos: Path) -> None:
    (build / FLOAT_WEIGHTS).unlink()
    assert read_float_weights(build) is None
    report = evaluate(build, photos, count=6)
    assert [form.form for form in report.forms] == ["TFLite int8", "ONNX int8"]
    assert (report.classes, report.layers, report.hurts) == ((), (), None)
    assert "no float model" in report.notes[0]


def test_without_labels_it_is_refused(build: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    Image.fromarray(PIXELS[0]).save(plain / "one.png")
    with pytest.raises(ImageError, match="no labels"):
        evaluate(build, plain)


def test_a_label_that_is_no_class_is_refused(build: Path, tmp_path: Path) -> None:
    path = tmp_path / "images.npz"
    np.savez(path, input=PIXELS[:2], labels=np.array([0, 10]))
    with pytest.raises(ImageError, match="label 10"):
        evaluate(build, path)
