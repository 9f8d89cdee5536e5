"""Which class has which number, and what a model's outputs say of a class."""

import dataclasses
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgesq.builds import write_report
from edgesq.builds.facts import CalibrationFacts
from edgesq.calibrate import (
    Classes,
    Fit,
    Judge,
    Preprocessing,
    judged_by,
    load_folder,
    open_folder,
    read_classes,
    spread,
)
from edgesq.codegen import generate
from edgesq.errors import ImageError
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import make_plan
from edgesq.project.build import STRICT_FLAGS
from edgesq.repair.judge import distance, int8_scores
from edgesq.verify.images import open_images
from support.networks import Network
from support.reports import report_of

SHAPE = (4, 4, 3)
FRUIT = Classes(("apple", "banana", "cherry"), "by fruit.txt", is_declared=True)


def photos(root: Path, **classes: int) -> Path:
    """Make class folders with so many images each."""
    for name, count in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("RGB", SHAPE[:2], (number, 0, 0)).save(root / name / f"{number}.png")
    return root


def graph(outputs: int, end: str = "softmax", side: int = 1) -> Graph:
    net = Network(SHAPE, (1 / 255, -128))
    made = net.conv(net.input, outputs, (3, 3))
    if side == 1:
        made = net.mean(made)
    if end == "softmax, reshape":
        made = net.reshape(net.softmax(made), (1, outputs))
    elif end:
        made = (
            net.softmax(made) if end == "softmax" else net.unary(made, "LOGISTIC", (1 / 256, -128))
        )
    return read_graph(net.build(made))


# The order


def test_folders_are_numbered_as_text(tmp_path: Path) -> None:
    """As Keras' image_dataset_from_directory and torchvision's ImageFolder do: "10" before "2"."""
    names = [str(number) for number in range(12)]
    found = open_folder(photos(tmp_path, **dict.fromkeys(names, 1)))
    assert found.classes.names == tuple(sorted(names))
    assert found.labels is not None
    assert found.labels.tolist() == list(range(12))
    assert "numbered as text" in found.notes[0]
    assert "0, 1, 2, 3, 4, ..." in found.notes[0]


def test_an_order_that_is_the_same_by_value_is_not_doubted(tmp_path: Path) -> None:
    assert open_folder(photos(tmp_path, **{"01": 1, "02": 1, "10": 1})).notes == ()


def test_folders_without_images_keep_their_number(tmp_path: Path) -> None:
    photos(tmp_path, apple=1, banana=0, cherry=2, date=0)
    (tmp_path / "banana" / "a.tif").touch()
    (tmp_path / ".hidden").mkdir()
    found = open_folder(tmp_path)
    assert found.classes.names == ("apple", "banana", "cherry", "date")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 2, 2]
    assert (
        "banana holds no image that can be read (1 .tif); it keeps its number, 1" in found.notes[0]
    )
    assert "date holds no image that can be read (nothing)" in found.notes[1]


@pytest.mark.parametrize(
    "text",
    [
        "cherry\napple\n banana \r\n\n",
        "\ufeffcherry\napple\nbanana",
        '["cherry", "apple", "banana"]',
        '{"apple": 1, "banana": 2, "cherry": 0}',
        '{"0": "cherry", "1": "apple", "2": "banana"}',
    ],
)
def test_a_file_declares_the_order(tmp_path: Path, text: str) -> None:
    (tmp_path / "classes").write_text(text)
    declared = read_classes(tmp_path / "classes")
    assert declared.names == ("cherry", "apple", "banana")
    assert declared.is_declared
    found = open_folder(photos(tmp_path / "photos", apple=1, cherry=1), declared)
    assert found.labels is not None
    assert found.labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1 is empty"),
        (b"a\n\nb", "line 2 is empty"),
        (b"a\nb\na", "a is there twice"),
        (b"[]", "neither a list"),
        (b"{}", "neither a list"),
        (b"[1, 2]", "empty or no text"),
        (b'["a", " "]', "empty or no text"),
        (b'{"a": 0, "b": 2}', "numbers are not 0 to 1"),
        (b'{"a": 0, "b": 0}', "numbers are not 0 to 1"),
        (b'{"a": 0, "b": true}', "numbers are not 0 to 1"),
        (b'{"a": 0.5, "b": "c"}', "numbers are not 0 to 1"),
        (b"[" * 100_000, "nested"),
        (b"{", "declares no classes"),
        (b"x" * 2000, "longer than"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_files_that_declare_nothing_are_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "classes").write_bytes(content)
    with pytest.raises(ImageError, match=message) as raised:
        read_classes(tmp_path / "classes")
    assert "\n" not in str(raised.value)


def test_the_manifest_declares_the_order(tmp_path: Path) -> None:
    photos(tmp_path, apple=1, cherry=1)
    (tmp_path / "manifest.json").write_text('{"classes": {"cherry": 0, "apple": 1}}')
    found = load_folder(tmp_path, SHAPE)
    assert found.labels is not None
    assert found.labels.tolist() == [1, 0]
    other = open_folder(tmp_path, FRUIT)
    assert other.classes == FRUIT
    assert "manifest.json declares other classes" in other.notes[0]
    (tmp_path / "manifest.json").write_text('{"classes": ["a", "a"]}')
    with pytest.raises(ImageError, match=r"manifest.json: classes: a is there twice"):
        open_folder(tmp_path)


def test_a_folder_that_is_no_declared_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"bananna is none of the 3 .*is it banana\?"):
        open_folder(photos(tmp_path, bananna=1), FRUIT)


def test_folders_of_class_folders_are_named(tmp_path: Path) -> None:
    for name in ("train", "val"):
        photos(tmp_path / name, cat=1, dog=1)
    with pytest.raises(ImageError, match=r"folders of class folders \(train, val\).*give one"):
        open_folder(tmp_path)
    photos(tmp_path, train=1)
    assert "the images of train/cat, train/dog" in open_folder(tmp_path).notes[-1]


def test_names_of_others_are_shown_on_one_line(tmp_path: Path) -> None:
    photos(tmp_path, **{"a\nb": 1, "[/b]": 1, "\x1b[31m": 1, "e\u202ef": 1})
    (tmp_path / "caf\udce9").mkdir()
    found = open_folder(tmp_path)
    assert all(name.isprintable() for name in found.classes.names)
    assert found.names[0].isprintable()
    found.classes.check()
    assert len(found.identity) == 64


# The build keeps it


def report(build: Path, classes: Classes) -> Path:
    build.mkdir()
    write_report(build, report_of(calibration=CalibrationFacts(Preprocessing(), None, classes, ())))
    return build


def test_a_build_keeps_declared_classes(tmp_path: Path) -> None:
    build = report(tmp_path / "build", FRUIT)
    few = photos(tmp_path / "few", cherry=1, banana=2)
    images = open_images(build, graph(3), few, None)
    assert [images.label(number) for number in range(3)] == [1, 1, 2]
    assert images.classes == FRUIT
    other = Classes(FRUIT.names[::-1], "by other.txt", is_declared=True)
    images = open_images(build, graph(3), few, None, other)
    assert [images.label(number) for number in range(3)] == [1, 1, 0]
    with pytest.raises(ImageError, match="grape is none of the 3"):
        open_images(build, graph(3), photos(tmp_path / "grapes", grape=1), None)


def test_a_build_keeps_the_names_of_its_calibration_folders(tmp_path: Path) -> None:
    build = report(tmp_path / "build", Classes(FRUIT.names, "by folders"))
    few = open_images(build, graph(3), photos(tmp_path / "few", cherry=1), None)
    assert few.label(0) == 2
    named = open_images(build, graph(3), photos(tmp_path / "n", a=1, b=1, c=1), None)
    assert named.label(2) == 2
    assert "not named as those" in named.notes[0]


def test_the_header_holds_the_names(tmp_path: Path) -> None:
    names = ["plain", 'a"b', "back\\slash", "caf\u00e9 \U0001f353", "??/", "*/ //", "\udcff", "2nd"]
    model = graph(8)
    header = generate(model, make_plan(model), "portable", "fruit", names)["fruit_model.h"]
    assert "#define FRUIT_MODEL_CLASS_COUNT 8u" in header
    assert header.isascii()
    wanted = [name.encode(errors="backslashreplace") for name in names]
    assert compiled_names(header, tmp_path) == wanted
    bare = generate(model, make_plan(model), "portable", "fruit")["fruit_model.h"]
    assert "#define FRUIT_MODEL_CLASS_COUNT 8u" in bare
    assert "CLASS_NAMES" not in bare


def compiled_names(header: str, folder: Path) -> list[bytes]:
    """Return the names as a strict C compiler sees them."""
    lines = [line for line in header.splitlines() if re.match(r"#define \w+_CLASS_", line)]
    program = "\n".join(
        [
            "#include <stdio.h>",
            *lines,
            "static const char *const names[FRUIT_MODEL_CLASS_COUNT] = FRUIT_MODEL_CLASS_NAMES;",
            "int main(void) { for (unsigned i = 0; i < FRUIT_MODEL_CLASS_COUNT; i++)"
            " { fwrite(names[i], 1, __builtin_strlen(names[i]) + 1, stdout); } return 0; }",
        ]
    )
    (folder / "names.c").write_text(program)
    flags = (*STRICT_FLAGS, "-trigraphs", "-o", str(folder / "names"))
    subprocess.run(["gcc", *flags, str(folder / "names.c")], check=True)
    done = subprocess.run([str(folder / "names")], capture_output=True, check=True)
    return done.stdout.split(b"\0")[:-1]


# What is judged


@pytest.mark.parametrize(
    ("model", "names", "labels", "reason"),
    [
        (graph(3), ("a", "b", "c"), [0, 1, 2], None),
        (graph(10), ("a", "b"), [0, 1], None),
        (graph(3), ("a", "b", "c", "d"), [0, 3], "label 3 is none of the 3 classes"),
        (graph(3), (), None, "no labels"),
        (graph(1, "LOGISTIC"), ("no", "yes"), [0, 1], None),
        (graph(1, "LOGISTIC"), ("a", "b", "c"), [0, 2], "label 2 is none of the 2 classes"),
        (graph(1, ""), ("no", "yes"), [0, 1], "a measure"),
        (graph(3, side=4), ("a", "b", "c"), [0, 1], "a map of 4 x 4"),
        (graph(10, ""), ("good", "bad"), [0, 1], "without a softmax"),
        (graph(2, ""), ("good", "bad"), [0, 1], None),
        (graph(10, ""), (), [0, 1], None),
    ],
)
def test_what_can_be_judged(
    model: Graph, names: tuple[str, ...], labels: list[int] | None, reason: str | None
) -> None:
    given = None if labels is None else np.array(labels)
    found = judged_by(model, Classes(names, "by folders"), given)
    if reason is None:
        assert found.reason is None
        assert found.labels is given
        return
    assert found.reason is not None
    assert reason in found.reason
    assert found.labels is None
    assert labels is None or any("no accuracy" in note for note in found.notes)


def test_other_numbers_of_classes_are_named() -> None:
    def notes(count: int, outputs: int, **said: Any) -> str:
        names = Classes(tuple(map(str, range(count))), **said)
        return " ".join(judged_by(graph(outputs), names, np.zeros(1, np.int64)).notes)

    assert notes(5, 5) == ""
    assert "5 class folders are there, the model tells 9 apart: they are taken" in notes(5, 9)
    assert "background class" in notes(9, 10)
    assert "12 class folders are there, the model tells 9 apart" in notes(12, 9)
    with pytest.raises(ImageError, match="12 classes are declared by x, the model tells 9 apart"):
        notes(12, 9, said_by="by x", is_declared=True)


def test_a_sigmoid_is_judged_at_a_half() -> None:
    judge = judged_by(graph(1, "LOGISTIC"), Classes(), np.zeros(1, np.int64)).judge
    assert judge == Judge(2, is_sigmoid=True, is_sure=True)
    values = np.array([[0.0], [0.25], [0.5], [0.5 + 1 / 256], [255 / 256]])
    scores = judge.scores(values)
    assert scores.argmax(axis=-1).tolist() == [0, 0, 0, 1, 1]
    odds = np.exp(scores)
    np.testing.assert_allclose((odds / odds.sum(axis=1, keepdims=True))[1:, 1], values[1:, 0])


def test_repairs_are_judged_by_both_classes_of_a_sigmoid() -> None:
    """The softmax of one score is always 1, whatever a repair does."""
    pixels = np.random.default_rng(0).integers(-128, 128, (4, *SHAPE), np.int8)
    scores = int8_scores(graph(1, "LOGISTIC"), pixels)
    assert scores.shape == (4, 2)
    assert distance(scores, np.zeros_like(scores)).kl > 0
    assert int8_scores(graph(3), pixels).shape == (4, 3)


# Which images


def test_few_images_are_spread_over_the_classes() -> None:
    labels: NDArray[np.int64] = np.repeat([0, 1, 2], [10, 2, 5])
    for count in range(1, 18):
        chosen = spread(labels, 17, count)
        assert len(set(chosen.tolist())) == count
        assert chosen.tolist() == sorted(chosen.tolist())
        shares = np.bincount(labels[chosen], minlength=3)
        full = shares == [10, 2, 5]
        assert shares[~full].max(initial=0) - shares[~full].min(initial=10) <= 1 or full.all()
    assert spread(None, 9, 4).tolist() == [0, 1, 2, 3]
    assert spread(labels, 17, None).tolist() == list(range(17))


def test_count_takes_some_of_every_class(tmp_path: Path) -> None:
    build = report(tmp_path / "build", Classes())
    images = open_images(build, graph(3), photos(tmp_path / "p", a=5, b=5, c=5), 6)
    assert [images.label(number) for number in range(6)] == [0, 0, 1, 1, 2, 2]
    assert images.names == ("a/0.png", "a/1.png", "b/0.png", "b/1.png", "c/0.png", "c/1.png")
    labels = np.repeat([0, 1, 2], 5)
    pixels = np.random.default_rng(0).integers(-128, 128, (15, *SHAPE), np.int8)
    np.savez(tmp_path / "a.npz", input=pixels, labels=labels)
    arrays = open_images(build, graph(3), tmp_path / "a.npz", 6)
    assert np.array_equal(list(arrays.read()), pixels[[0, 1, 5, 6, 10, 11]])
    assert np.array_equal(list(arrays.read(3)), pixels[[6, 10, 11]])
    assert np.array_equal(arrays.pick([4])[4], pixels[10])


# What happens to images of other shapes


def test_fit_says_how_an_image_gets_the_models_shape(tmp_path: Path) -> None:
    """A white field between black ones; the model's image is as high and half as wide."""
    wide = np.zeros((8, 16, 3), np.uint8)
    wide[:, 4:12] = 255
    Image.fromarray(wide).save(tmp_path / "a.png")
    shape = (8, 8, 3)
    stretched = load_folder(tmp_path, shape, fit="stretch").images[0]
    cut = load_folder(tmp_path, shape, fit="crop").images[0]
    assert np.array_equal(load_folder(tmp_path, shape).images[0], stretched)
    assert (stretched[:, 0] == 0).all()
    assert (stretched[:, 4] == 255).all()
    assert (cut == 255).all()
    padded = load_folder(tmp_path, shape, fit="pad")
    assert (padded.images[0][[0, 1, 6, 7]] == 0).all()
    assert (padded.images[0][3:5, 3:5] == 255).all()
    assert padded.preprocessing.resize == "pad"
    (tmp_path / "manifest.json").write_text('{"preprocessing": {"resize": "pad"}}')
    assert np.array_equal(load_folder(tmp_path, shape).images, padded.images)
    kept = json.loads(json.dumps(dataclasses.asdict(padded.preprocessing)))
    assert Preprocessing.from_json(kept) == padded.preprocessing


def test_changed_images_are_counted(tmp_path: Path) -> None:
    for number, (mode, size) in enumerate(
        [("RGB", (8, 8)), ("RGB", (64, 64)), ("RGB", (8, 16)), ("L", (8, 8)), ("LA", (9, 3))]
    ):
        Image.new(mode, size).save(tmp_path / f"{number}.png")
    lying = Image.Exif()
    lying[0x0112] = 6
    Image.new("RGB", (8, 4)).save(tmp_path / "lying.jpg", exif=lying)

    def note(shape: tuple[int, int, int], fit: Fit | None = None) -> str:
        (said,) = load_folder(tmp_path, shape, fit=fit).notes
        return said

    said = note((8, 8, 3))
    assert "of 6 images 3 are stretched to 8 x 8 (`export --fit crop` or `pad`" in said
    assert "2 grey ones become RGB" in said
    assert "3 are cut to the shape" in note((8, 8, 3), "crop")
    assert "3 get black borders" in note((8, 8, 3), "pad")
    assert "4 are stretched" in note((8, 4, 3)), "the photograph lies, and is as high as wanted"
    assert "4 coloured ones become grey" in note((8, 8, 1))
    for number in (2, 3, 4):
        (tmp_path / f"{number}.png").unlink()
    (tmp_path / "lying.jpg").unlink()
    assert load_folder(tmp_path, (8, 8, 3)).notes == ()
