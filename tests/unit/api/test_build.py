"""A build as an object: what it says, what its model computes, and its board on this computer."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import edgesq
from edgesq.calibrate import Classes
from edgesq.flash import recorded
from edgesq.reference import run_observed
from support.browser import check_alone
from support.builds import is_running, light_build
from support.cases import NETWORKS
from support.verify_runs import CLASSES, CONTENT, GRAPH, SHAPE

IMAGES = np.random.default_rng(5).integers(-128, 128, (6, *SHAPE), np.int8)
PIXELS = (IMAGES.astype(np.int16) + 128).astype(np.uint8)
"""What the default preprocessing, scale 1/255 and zero point -128, make IMAGES of."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build for `host`, compiled once."""
    made = light_build(tmp_path_factory.mktemp("api") / "build", "host", CONTENT, IMAGES)
    edgesq.load(made).compile()
    return made


@pytest.fixture
def build(folder: Path) -> Iterator[edgesq.Build]:
    yield edgesq.load(str(folder))
    assert recorded(folder) is None, "a test left its board running"


def test_a_build_says_what_it_is(build: edgesq.Build) -> None:
    assert build.report.firmware.target == "host"
    assert build.sizes is not None
    assert build.plan is not None
    assert build.plan.arena_bytes == build.report.firmware.arena_bytes
    flash = f"flash {build.sizes.flash_bytes:,} B, RAM {build.sizes.ram_bytes:,} B"
    assert repr(build) == f"Build({build.folder}: tiny on host, {flash})"
    assert repr(build.plan).startswith(f"Planned({len(build.plan.operators)} operators, arena ")


def test_what_is_no_build_is_refused(tmp_path: Path) -> None:
    with pytest.raises(edgesq.EdgesqError, match="not a build folder"):
        edgesq.load(tmp_path)


def test_the_same_image_in_every_form_gives_the_exact_output(
    build: edgesq.Build, tmp_path: Path
) -> None:
    expected, logits = (rows[0] for rows in run_observed(GRAPH, IMAGES[:1]))
    picture = Image.fromarray(PIXELS[0])
    picture.save(tmp_path / "one.png")
    forms = (IMAGES[0], PIXELS[0], picture, tmp_path / "one.png", str(tmp_path / "one.png"))
    tensor = GRAPH.tensors[GRAPH.output]
    for form in forms:
        found = build.predict(form)
        assert found.int8.dtype == np.int8
        np.testing.assert_array_equal(found.int8, expected)
        reals = (expected.astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale)
        np.testing.assert_array_equal(found.values, reals)
        assert found.values.dtype == np.float32
        assert (found.label, found.name) == (int(logits.argmax()), str(logits.argmax()))


def test_pixels_of_another_size_are_resized_as_the_build_does(build: edgesq.Build) -> None:
    large = np.random.default_rng(6).integers(0, 256, (9, 13, 3), np.uint8)
    resized = Image.fromarray(large).resize((SHAPE[1], SHAPE[0]), Image.Resampling.BILINEAR)
    same = build.predict(np.asarray(resized))
    np.testing.assert_array_equal(build.predict(large).int8, same.int8)
    np.testing.assert_array_equal(build.predict(Image.fromarray(large)).int8, same.int8)
    grey = build.predict(large[..., 0])
    np.testing.assert_array_equal(
        grey.int8, build.predict(np.repeat(large[..., :1], 3, axis=2)).int8
    )


def test_a_batch_is_its_images_one_by_one(build: edgesq.Build) -> None:
    expected = run_observed(GRAPH, IMAGES)[0]
    for batch in (IMAGES, list(PIXELS), (IMAGES[0], *PIXELS[1:])):
        found = build.predict_batch(batch)
        np.testing.assert_array_equal([one.int8 for one in found], expected)
    assert build.predict_batch([]) == ()


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (IMAGES, r"is int8 \[6, 4, 4, 3\], the model takes \[4, 4, 3\]"),
        (IMAGES[0][:2], r"is int8 \[2, 4, 3\]"),
        (PIXELS, r"is uint8 \[6, 4, 4, 3\]"),
        (PIXELS[0] / 255, "is an array of float64 .*give a file"),
        ([1, 2, 3], "is a list"),
        (None, "is a NoneType"),
        ("none.png", "none.png: no such image"),
        (Image.new("I", (8, 8)), "more than 8 bits per channel"),
    ],
)
def test_what_is_no_image_is_refused(build: edgesq.Build, image: object, says: str) -> None:
    with pytest.raises(edgesq.ImageError, match=says):
        build.predict(image)  # type: ignore[arg-type]


def test_a_board_on_this_computer_ends_with_its_block(build: edgesq.Build) -> None:
    told: list[edgesq.Progress] = []
    with build.flash(on_progress=told.append) as board:
        process = recorded(build.folder)
        assert process is not None
        assert (board.port, board.info.board) == (process.port, "host")
        report = board.verify(count=4, on_progress=told.append)
        assert (report.equal, report.passed, report.run.images) == (True, True, 4)
        there = board.predict_batch(IMAGES)
        assert is_running(process.pid)
    assert not is_running(process.pid)
    here = build.predict_batch(PIXELS)
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.int8, other.int8)
        assert one.label == other.label
    starts = edgesq.Progress("start This computer: a process behind a pty", 1, 2)
    assert told == [starts, *(edgesq.Progress("verify", done, 4) for done in range(1, 5))]


def test_an_error_in_the_block_stops_the_board_too(build: edgesq.Build) -> None:
    def failing() -> int:
        with build.flash():
            process = recorded(build.folder)
            assert process is not None
            pids.append(process.pid)
            return 1 // 0

    pids: list[int] = []
    with pytest.raises(ZeroDivisionError):
        failing()
    assert not is_running(pids[0])


def test_a_board_after_its_end_says_so(build: edgesq.Build) -> None:
    with build.flash() as board:
        assert board.info.board == "host"
    for use in (lambda: board.info, lambda: board.predict(IMAGES[0]), board.verify):
        with pytest.raises(edgesq.BoardError, match="was stopped when this Board was closed"):
            use()


def test_a_board_that_already_runs_goes_on(build: edgesq.Build) -> None:
    with build.flash() as first:
        for port in (None, first.port):
            with build.board(port) as board:
                assert board.predict(IMAGES[0]).label == build.predict(IMAGES[0]).label
        assert recorded(build.folder) is not None
        assert build.verify(count=2).equal
        with build.flash(tcp=True) as second:  # replaces the first one
            first.close()  # is not the second's end
            assert second.port.startswith("socket://127.0.0.1:")
            assert second.info.board == "host"
    with pytest.raises(edgesq.BoardError, match="no board found"):
        build.board()


def test_a_board_with_another_model_is_refused(build: edgesq.Build, tmp_path: Path) -> None:
    content = NETWORKS["every_operator"]()
    other = light_build(tmp_path / "other", "host", content, IMAGES[:1])
    with (
        build.flash() as board,
        pytest.raises(edgesq.BoardError, match="the board runs model"),
    ):
        edgesq.load(other).board(board.port)


def test_thresholds_are_judged_and_kept(build: edgesq.Build, tmp_path: Path) -> None:
    with build.flash() as board:
        first = board.verify(json=tmp_path / "base.json", fail_if=["flash>1"])
        assert (first.equal, first.passed) == (True, False)
        held = ["flash>+0", "ram>+0%", "arena>+0"]
        again = board.verify(fail_if=held, baseline=tmp_path / "base.json")
        assert [one.violated for one in again.thresholds] == [False] * 3
        for wrong, options in {
            "there is no baseline": {"fail_if": ["ram>+1"]},
            "would be written over": {
                "fail_if": ["ram>+1"],
                "baseline": tmp_path / "base.json",
                "json": tmp_path / "base.json",
            },
            "is no report": {"fail_if": ["ram>+1"], "baseline": tmp_path / "none.json"},
        }.items():
            before = (build.folder / "verify.json").read_bytes()
            with pytest.raises(edgesq.EdgesqError, match=wrong):
                board.verify(**options)  # type: ignore[arg-type]
            assert (build.folder / "verify.json").read_bytes() == before
        with pytest.raises(edgesq.EdgesqError, match="this run does not say 'instructions'"):
            board.verify(fail_if=["instructions>5"], junit=tmp_path / "junit.xml")
        assert (tmp_path / "junit.xml").exists()  # what was found is kept


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"count": 0}, "count: is 0"),
        ({"timeout": float("nan")}, "timeout: is nan"),
        ({"baud": "fast"}, "--baud fast: is no rate"),
        ({"baud": 0}, "--baud 0: is no rate"),
        ({"classes": []}, "classes: are no classes"),
        ({"images": "none"}, "none"),
        ({"json": "none/x.json"}, "is in no folder that is there"),
    ],
)
def test_bad_values_are_refused_before_a_board_is_looked_for(
    build: edgesq.Build, options: dict[str, object], says: str
) -> None:
    with pytest.raises(edgesq.EdgesqError, match=says):
        build.verify(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"target": "discovery"}, "did you mean stm32f407-discovery"),
        ({"optimize": "fast"}, "optimize: is not 'fast'"),
        ({"format": "arduno"}, "did you mean arduino"),
        ({"fit": "squash"}, "fit: is not 'squash'"),
        ({"runtime": "tvm"}, "runtime: is not 'tvm'"),
        ({"ram_limit": 0}, "ram_limit: is 0"),
        ({"max_drop": 101}, "max_drop: is 101"),
        ({"optimize_accuracy": float("nan")}, "optimize_accuracy: is nan"),
        ({"compress": "small"}, "small: not a size"),
        ({"compress": -5}, "-5: not a size"),
        ({"classes": ["a", "a"]}, "a is there twice"),
        ({"classes": "none.txt"}, "none.txt: cannot be read"),
    ],
)
def test_export_refuses_bad_values_before_the_model(
    tmp_path: Path, options: dict[str, object], says: str
) -> None:
    with pytest.raises(edgesq.EdgesqError, match=says):
        edgesq.export("none.keras", out=tmp_path / "out", **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_an_option_that_is_not_there_is_a_type_error(build: edgesq.Build, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="optimise"):
        edgesq.export(out=tmp_path, optimise="ram")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="layer"):
        build.verify(layer=True)  # type: ignore[call-arg]


def test_results_show_themselves_escaped(build: edgesq.Build) -> None:
    shown = [build._repr_html_(), build.predict(IMAGES[0])._repr_html_()]
    assert build.plan is not None
    shown.append(build.plan._repr_html_())
    assert build.sizes is not None
    shown.append(build.sizes._repr_html_())
    for text in shown:
        assert text.startswith("<table>")
        assert "<script" not in text
    assert shown[0].count("<img ") == 1  # the arena over time
    assert build.pictures["arena"]._repr_svg_().startswith("<svg")
    classes = edgesq.Prediction(
        np.zeros(2, np.int8), np.zeros(2, np.float32), 0, Classes(("<script>", "b"))
    )
    assert "&lt;script&gt;" in classes._repr_html_()
    assert "<script>" not in classes._repr_html_()
    assert len(build.predict(IMAGES[0]).top) == min(CLASSES, 5)


def test_pictures_and_the_page(build: edgesq.Build, tmp_path: Path) -> None:
    assert list(build.pictures) == ["network", "arena", "fullest"]
    for picture in build.pictures.values():
        assert picture._repr_svg_().startswith("<svg")
    assert build.pictures["arena"].as_img() in build._repr_html_()
    build.write_page(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert str(build.pictures["arena"]) in text
    check_alone(text)


def test_a_board_is_stopped_although_its_folder_was_moved(folder: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    shutil.copytree(folder, here)
    with edgesq.load(here).flash():
        started = recorded(here)
        assert started is not None
        here.rename(there)
    assert not is_running(started.pid)


def test_a_board_that_took_its_place_is_left_alone(folder: Path, tmp_path: Path) -> None:
    build = edgesq.load(shutil.copytree(folder, tmp_path / "build"))
    with build.flash():
        second = build.flash()
    later = recorded(build.folder)
    assert later is not None
    second.close()
    assert recorded(build.folder) is None


@pytest.mark.parametrize("shape", [(0, 7), (7, 0, 3)])
def test_an_image_without_pixels_is_refused(build: edgesq.Build, shape: tuple[int, ...]) -> None:
    with pytest.raises(edgesq.ImageError, match="holds no pixel"):
        build.predict(np.zeros(shape, np.uint8))


def test_one_text_is_not_taken_for_a_list(build: edgesq.Build) -> None:
    with pytest.raises(edgesq.EdgesqError, match="ports: is 'socket://x:1'"):
        build.verify(ports="socket://x:1")
    with pytest.raises(edgesq.EdgesqError, match="ram>1: is not in a list"):
        build.verify(fail_if="ram>1")
    with pytest.raises(edgesq.ImageError, match="photos: is one path"):
        build.predict_batch("photos")


@pytest.mark.parametrize("count", ["3", 1.5, 0, -1, float("nan")])
def test_a_count_is_a_whole_number_from_one_on(build: edgesq.Build, count: Any) -> None:
    with pytest.raises(edgesq.EdgesqError, match="count: is"):
        build.verify(count=count)
