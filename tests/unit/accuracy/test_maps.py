"""Maps of classes by intersection over union, and raw outputs of what gives no classes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from edgesq.accuracy import check_is_classifier, evaluate
from edgesq.accuracy.forms import FLOAT, ONNX_INT8, TFLITE_INT8, Batch
from edgesq.accuracy.maps import MapCount, map_judge
from edgesq.accuracy.outputs import OutputCount
from edgesq.api import evaluating
from edgesq.builds import TFLITE, write_report
from edgesq.builds.optimize import FLOAT_WEIGHTS
from edgesq.calibrate import Classes, Judge, Preprocessing, read_mask
from edgesq.cli.app import app
from edgesq.errors import EdgesqError, ImageError, ModelError
from edgesq.formats.float_weights import float_weights
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Int8Array
from edgesq.quantize import captured_output, to_int8_tflite
from support.networks import USUAL, Network
from support.reports import report_of

SHAPE = (12, 16, 3)
PIXELS = np.random.default_rng(3).integers(0, 256, (5, *SHAPE), np.uint8)


def segmenter(softmax: bool = False) -> bytes:
    """A map of 6 x 8 pixels and three classes: which colour is brightest."""
    net = Network(SHAPE)
    step = net.max_pool(net.input, (2, 2), (2, 2))
    return net.build(net.softmax(step) if softmax else step)


def detector() -> bytes:
    net = Network(SHAPE)
    step = net.conv(net.input, 6, (3, 3), (2, 2))
    return net.build(net.conv(step, 4), net.conv(step, 2))


def vector_beside() -> bytes:
    net = Network(SHAPE)
    vector = net.beside((5,))
    pixel = net.mean(net.conv(net.input, 8), USUAL)
    return net.build(net.softmax(net.dense(net.concat([pixel, net.dense(vector, 8)]), 3)))


def build_of(folder: Path, content: bytes) -> Path:
    folder.mkdir()
    (folder / TFLITE).write_bytes(content)
    write_report(folder, report_of())
    return folder


def levels(content: bytes) -> Int8Array:
    tensor = read_graph(content).tensors[read_graph(content).input]
    return Preprocessing().to_int8(PIXELS, tensor.scale, tensor.zero_point)


def said(content: bytes) -> Any:
    """Return the class of each pixel, [n, 6, 8]."""
    outputs = ReferenceInterpreter(content).observed(levels(content))
    return outputs[-1].reshape(len(PIXELS), 6, 8, -1).argmax(axis=-1)


def write(folder: Path, masks: Any, palette: bool = True) -> Path:
    """Write images and masks as tools for segmentation do."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number, (pixels, mask) in enumerate(zip(PIXELS, masks, strict=True)):
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        image = Image.fromarray(mask.astype(np.uint8))
        if palette:
            image.putpalette(list(range(256)) * 3)
        image.save(folder / "masks" / f"{number}.png")
    return folder


def double(masks: Any) -> Any:
    return masks.repeat(2, axis=1).repeat(2, axis=2)


# Counting


def batch(**made: Any) -> Batch:
    forms = {form: (np.asarray(one, np.float32),) for form, one in made.items()}
    return Batch((), np.zeros((1, 1), np.int8), forms)


def test_right_values_by_hand() -> None:
    """Six pixels, one of which does not count; of four classes the last is nowhere."""
    labels = np.array([[0, 0, 0], [1, 1, 255]], np.uint8)
    scores = np.eye(4)[[0, 0, 1, 1, 2, 3]]
    count = MapCount(Judge(4), "here")
    count.add(batch(**{TFLITE_INT8: scores.reshape(1, -1)}), [labels])
    (row,) = count.scores()
    ious = (2 / 3, 1 / 3, 0.0)
    assert row.mean_iou == pytest.approx(sum(ious) / 3)
    assert (row.pixels_right, row.agreement) == (3 / 5, None)
    found = {one.label: one.int8_iou for one in count.classes(("sky",))}
    assert found == {0: ious[0], 1: ious[1], 2: 0.0}
    assert {one.label: one.pixels for one in count.classes(())} == {0: 3, 1: 2, 2: 0}
    assert {one.name for one in count.classes(("sky",))} == {"sky", ""}


def test_against_float_and_of_equal_scores_the_first() -> None:
    labels = np.array([[0, 1]], np.uint8)
    count = MapCount(Judge(2), "here")
    forms = {FLOAT: [[3.0, 1.0, 1.0, 2.0]], TFLITE_INT8: [[2.0, 2.0, 2.0, 2.0]]}
    count.add(batch(**forms), [labels])
    real, mine = count.scores()
    assert (real.mean_iou, real.agreement) == (1.0, 1.0)
    assert (mine.mean_iou, mine.agreement) == ((1 / 2 + 0) / 2, 0.5)
    assert [row.label for row in count.classes(())] == [1, 0], "what loses most comes first"


def test_one_sigmoid_for_each_pixel() -> None:
    count = MapCount(Judge(2, is_sigmoid=True), "here")
    count.add(batch(**{TFLITE_INT8: [[0.5, 0.51, 0.9]]}), [np.array([[0, 1, 0]], np.uint8)])
    assert count.scores()[0].mean_iou == (1 / 2 + 1 / 2) / 2


def test_steps_between_outputs_by_hand() -> None:
    graph = read_graph(detector())
    scale = np.float32(graph.tensors[graph.outputs[1]].scale)
    zero = np.zeros((1, 4), np.float32)
    real = np.array([[1, 2, 3, 4]], np.float32) * scale
    mine = np.array([[1, 2, 3.4, 6]], np.float32) * scale
    count = OutputCount(graph)
    count.add(
        Batch((), np.zeros((1, 1), np.int8), {FLOAT: (zero, real), TFLITE_INT8: (zero, mine)})
    )
    same, other = count.gaps()
    assert (same.output, same.equal, same.sqnr_db) == ("output0", 1.0, None)
    assert (other.output, other.values, other.equal) == ("output1", 4, 3 / 4)
    assert (other.max_steps, other.mean_steps) == pytest.approx((2.0, 0.6), abs=1e-4)
    assert other.sqnr_db == pytest.approx(10 * np.log10(30 / 4.16), abs=1e-3)


# Masks


def test_a_mask_is_cut_as_its_image(tmp_path: Path) -> None:
    """Its borders do not count, and no label is made up between two others."""
    mask = np.tile(np.arange(8, dtype=np.uint8) * 30, (4, 1))
    Image.fromarray(mask).save(tmp_path / "m.png")
    image = Image.fromarray(np.zeros((4, 8, 3), np.uint8))
    image.save(tmp_path / "i.png")
    given = (tmp_path / "m.png", tmp_path / "i.png")
    np.testing.assert_array_equal(read_mask(*given, (4, 4), None), mask[:, 1::2])
    np.testing.assert_array_equal(read_mask(*given, (4, 4), "crop"), mask[:, 2:6])
    padded = read_mask(*given, (8, 8), "pad")
    np.testing.assert_array_equal(padded[2:6], mask)
    assert set(np.unique(np.delete(padded, np.s_[2:6], 0))) == {255}


# The whole


@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize("palette", [False, True])
def test_a_folder_with_masks(softmax: bool, palette: bool, tmp_path: Path) -> None:
    content = segmenter(softmax)
    build, found = build_of(tmp_path / "build", content), said(content)
    assert len(np.unique(found)) == 3
    right = evaluate(build, write(tmp_path / "right", double(found), palette))
    assert [(row.form, row.mean_iou) for row in right.maps] == [(TFLITE_INT8, 1), (ONNX_INT8, 1)]
    assert (right.forms, right.outputs, right.layers) == ((), (), ())
    changed = found.copy()
    changed[:, 0] = (changed[:, 0] + 1) % 3
    changed[:, 1] = 255
    wrong = evaluate(
        build,
        write(tmp_path / "wrong", double(changed)),
        declared=Classes(("a", "b", "c", "d"), "x"),
    )
    counts = changed != 255
    ious = {}
    for label in range(3):
        mine, theirs = (found == label) & counts, (changed == label) & counts
        if (mine | theirs).any():
            ious[label] = (mine & theirs).sum() / (mine | theirs).sum()
    assert wrong.maps[0].mean_iou == pytest.approx(np.mean(list(ious.values())))
    assert wrong.maps[0].pixels_right == pytest.approx(4 / 5)
    assert {row.label: row.int8_iou for row in wrong.map_classes} == pytest.approx(ious)
    assert all(row.name == "abc"[row.label] for row in wrong.map_classes)
    assert wrong.notes == ("no float model: the build was made of an int8 model",)


def test_arrays_with_masks(tmp_path: Path) -> None:
    content = segmenter()
    build, masks = build_of(tmp_path / "build", content), double(said(content))
    masks[3:] = 0
    np.savez(tmp_path / "a.npz", input=PIXELS, masks=masks)
    assert evaluate(build, tmp_path / "a.npz", count=3).maps[0].mean_iou == 1
    assert evaluate(build, tmp_path / "a.npz").maps[0].mean_iou < 1


@pytest.mark.slow
def test_the_float_model_too(tmp_path: Path) -> None:
    with captured_output():
        import keras

        keras.utils.set_random_seed(1)
        layers = [
            keras.layers.Conv2D(6, 3, 2, "same", activation="relu"),
            keras.layers.Conv2D(4, 1),
        ]
        model = keras.Sequential([keras.Input(SHAPE), *layers])
    floats = Preprocessing().to_float(PIXELS)
    content = to_int8_tflite(model, (image[np.newaxis] for image in floats))
    build = build_of(tmp_path / "build", content)
    arrays = {
        f"{name}/{kind}": value
        for name, weights in float_weights(model, content).items()
        for kind, value in vars(weights).items()
    }
    np.savez(build / FLOAT_WEIGHTS, allow_pickle=False, **arrays)
    wanted = np.asarray(model(floats)).argmax(axis=-1)
    report = evaluate(build, write(tmp_path / "photos", double(wanted)))
    real, mine, _ = report.maps
    assert (real.form, real.mean_iou, real.agreement) == (FLOAT, 1.0, 1.0)
    assert mine.pixels_right == mine.agreement == pytest.approx(np.mean(said(content) == wanted))


def test_raw_outputs_of_a_detector(tmp_path: Path) -> None:
    build = build_of(tmp_path / "build", detector())
    photos = write(tmp_path / "photos", np.zeros((5, 12, 16)))
    report = evaluate(build, photos / "images")
    rows = [(row.output, row.form, row.against, row.equal) for row in report.outputs]
    assert rows == [(name, ONNX_INT8, TFLITE_INT8, 1.0) for name in ("output0", "output1")]
    assert report.notes[0].startswith("the model has 2 outputs, which are no single class: ")
    arguments = ["evaluate", "--build", build, "--images", photos / "images", "--json", "-"]
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["outputs"][1]["values"] == 5 * 6 * 8 * 2


def test_a_classifier_with_two_inputs(tmp_path: Path) -> None:
    content = vector_beside()
    build, graph = build_of(tmp_path / "build", content), read_graph(content)
    numbers = np.random.default_rng(4).uniform(-2, 2, (5, 5)).astype(np.float32)
    np.savez(tmp_path / "a.npz", input0=PIXELS, input1=numbers, labels=np.array([0, 1, 2, 0, 1]))
    report = evaluate(build, tmp_path / "a.npz")
    images = np.load(tmp_path / "a.npz")
    tensors = [graph.tensors[index] for index in graph.inputs]
    first = Preprocessing().to_int8(PIXELS, tensors[0].scale, tensors[0].zero_point)
    steps = np.round(numbers / tensors[1].scale) + tensors[1].zero_point
    second = np.clip(steps, -128, 127).astype(np.int8)
    pairs = zip(first, second, strict=True)
    joined = [graph.join(dict(zip(graph.inputs, pair, strict=True))) for pair in pairs]
    _, logits = ReferenceInterpreter(content).observed(np.stack(joined))
    hits = np.count_nonzero(logits.argmax(axis=1) == images["labels"])
    assert [row.top1.hits for row in report.forms] == [hits, hits]


def test_the_command_shows_maps(tmp_path: Path) -> None:
    content = segmenter()
    build = build_of(tmp_path / "build", content)
    photos = write(tmp_path / "photos", double(said(content)))
    arguments = ["evaluate", "--build", str(build), "--images", str(photos)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    for words in ("5 images with label maps", "mean IoU", "100.0%", "IoU by class"):
        assert words in done.output


# What does not fit, by one true sentence


def test_a_map_without_masks_gets_raw_outputs(tmp_path: Path) -> None:
    build = build_of(tmp_path / "build", segmenter())
    photos = write(tmp_path / "photos", np.zeros((5, 12, 16)))
    report = evaluate(build, photos / "images")
    assert report.outputs
    assert "give a folder with images and masks" in report.notes[1]


def lacking(folder: Path) -> Path:
    (folder / "masks" / "3.png").unlink()
    return folder


def coloured(folder: Path) -> Path:
    Image.fromarray(PIXELS[0]).save(folder / "masks" / "0.png")
    return folder


def smaller(folder: Path) -> Path:
    Image.fromarray(np.zeros((6, 8), np.uint8)).save(folder / "masks" / "0.png")
    return folder


def damaged(folder: Path) -> Path:
    (folder / "masks" / "0.png").write_bytes(b"\x89PNG")
    return folder


def beyond(folder: Path) -> Path:
    Image.fromarray(np.full(SHAPE[:2], 3, np.uint8)).save(folder / "masks" / "0.png")
    return folder


def ignored(folder: Path) -> Path:
    for path in (folder / "masks").iterdir():
        Image.fromarray(np.full(SHAPE[:2], 255, np.uint8)).save(path)
    return folder


def without_masks(folder: Path) -> Path:
    (folder / "masks").rename(folder / "labels")
    return folder


def arrays(**how: Any) -> Any:
    def make(folder: Path) -> Path:
        np.savez(folder / "a.npz", input=PIXELS, **how)
        return folder / "a.npz"

    return make


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lacking, "no mask for 3.png"),
        (coloured, "is a mask of mode RGB .*palette indices"),
        (smaller, "is 6 x 8, and its image 12 x 16"),
        (damaged, "is no readable mask"),
        (beyond, "label 3 is none of the 3 classes of the model's map"),
        (ignored, "no pixel has a label"),
        (without_masks, "has a folder images and no masks"),
        (arrays(masks=np.zeros((5, 6, 8), np.uint8)), r"masks are uint8 \[5, 6, 8\]"),
        (arrays(masks=np.full((5, 12, 16), -1)), "masks hold -1 to -1"),
        (arrays(masks=np.zeros((5, 12, 16)), labels=np.zeros(5, int)), "both masks and labels"),
    ],
)
def test_masks_that_do_not_fit(change: Any, says: str, tmp_path: Path) -> None:
    build = build_of(tmp_path / "build", segmenter())
    photos = write(tmp_path / "photos", np.zeros((5, 12, 16)))
    with pytest.raises(ImageError, match=says):
        evaluate(build, change(photos))


def test_a_board_is_judged_by_classes_alone(tmp_path: Path) -> None:
    build = build_of(tmp_path / "build", segmenter())
    with pytest.raises(ModelError, match="judged by classes: the model's output is a map"):
        evaluating.evaluated(build, ("/dev/none",), tmp_path, None, classes=None, on_progress=None)
    check_is_classifier(build_of(tmp_path / "other", vector_beside()))


def test_too_many_names(tmp_path: Path) -> None:
    build = build_of(tmp_path / "build", segmenter())
    photos = write(tmp_path / "photos", np.zeros((5, 12, 16)))
    with pytest.raises(EdgesqError, match="4 classes are declared here"):
        evaluate(build, photos, declared=Classes(tuple("abcd"), "here", is_declared=True))


def test_which_outputs_are_maps_of_classes() -> None:
    assert map_judge(read_graph(segmenter())) == Judge(3)
    assert map_judge(read_graph(detector())) is None
    net = Network(SHAPE)
    assert map_judge(read_graph(net.build(net.conv(net.input, 1)))) is None, "a measure"
