"""The report as a page: what is in it, and that a browser shows it."""

import base64
import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgesq.builds import VERIFY_IMAGES, read_report
from edgesq.calibrate import Classes, Preprocessing
from edgesq.cli import terminal
from edgesq.cli.inside import print_inside
from edgesq.plan.usage import OperatorUse
from edgesq.reference import run_observed
from edgesq.verify import VerifyOptions, VerifyReport, read_json
from edgesq.verify.diagnose import Cause
from edgesq.verify.facts import AccuracyFacts
from edgesq.verify.layers import LayerDifference, Layers
from edgesq.verify.memory import planned
from edgesq.verify.page import write_page
from edgesq.verify.pictures import as_data_url
from edgesq.verify.profile import OperatorProfile
from edgesq.verify.thresholds import read_thresholds
from support.browser import browse, check_alone, needs_browser, picture_of, width_on_a_phone
from support.builds import light_build
from support.reports import put
from support.verify_runs import CLASSES, CONTENT, GRAPH, SHAPE, PretendedClient, altered, facts, run

COUNT = 30


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a build folder with labelled images, and a report that says its plan."""
    folder = tmp_path_factory.mktemp("page") / "build"
    images = np.random.default_rng(0).integers(-128, 128, (COUNT, *SHAPE), np.int8)
    light_build(folder, "host", CONTENT, images)
    labels = run_observed(GRAPH, images)[0].argmax(axis=1)
    labels[4] = (labels[4] + 1) % CLASSES
    np.savez(folder / VERIFY_IMAGES, input=images, labels=labels)
    put(folder, "model.name", "tiny <model>")
    put(folder, "sizes", {"flash_bytes": 98765, "ram_bytes": 4321})
    return folder


def make_report(build: Path, wrong: bool = False) -> VerifyReport:
    client = PretendedClient(lambda mark: wrong and mark % 4 == 0)
    report = run(facts(build, build / VERIFY_IMAGES), client=client)
    assert report.is_exact != wrong
    classes = Classes(("<b>zero</b>", "one & only"), "by nobody")
    return replace(report, classes=classes, warnings=("a <warning>",))


def page(report: VerifyReport, build: Path, path: Path) -> str:
    write_page(report, VerifyOptions(build), path)
    return path.read_text()


@pytest.fixture
def exact(build: Path, tmp_path: Path) -> Path:
    page(make_report(build), build, tmp_path / "exact.html")
    return tmp_path / "exact.html"


@pytest.fixture
def differing(build: Path, tmp_path: Path) -> Path:
    page(make_report(build, wrong=True), build, tmp_path / "differing.html")
    return tmp_path / "differing.html"


def test_a_page_needs_nothing_but_itself(exact: Path, differing: Path) -> None:
    for path in (exact, differing):
        text = path.read_text()
        check_alone(text)
        assert text.count("data:image/png") > 5


def test_text_from_outside_is_escaped(exact: Path) -> None:
    text = exact.read_text()
    assert "&lt;b&gt;zero&lt;/b&gt;" in text
    assert "<b>zero" not in text
    assert "a &lt;warning&gt;" in text
    assert "tiny &lt;model&gt;" in text


def test_an_exact_page(exact: Path) -> None:
    text = exact.read_text()
    assert "<strong>Exact</strong>" in text
    assert "All 420 values of 30 images are equal" in text
    assert "Images in the wrong class" in text
    assert ">image 4</h3>" in text
    assert "Images it is least certain of" in text
    assert "Images that differ" not in text
    for part in ("comparisons", "confusion", "operators", "curve"):
        assert f'id="{part}"' in text
    assert "4,321 B" in text


def test_a_page_of_differences(build: Path, differing: Path) -> None:
    report = make_report(build, wrong=True)
    text = differing.read_text()
    wrong = len(report.examples.differing)
    assert "<strong>The board differs</strong>" in text
    assert f"{wrong} of 30 images differ from numpy reference" in text
    assert f"The first {min(wrong, 12)} of {wrong}" in text
    which, place, expected, got = report.examples.differing[0].changes[0]
    assert (which, place, expected ^ got) == (1, 1, 3)
    row = f'logits 1</td><td>{expected}</td><td class="miss">{got}</td>'
    assert row in text
    assert "least certain" not in text


def test_a_page_of_what_was_found_inside(build: Path, tmp_path: Path) -> None:
    found = LayerDifference(
        image=3,
        operator=0,
        name="conv <1>",
        kind="CONV_2D",
        function="f",
        values=112,
        differing=5,
        max_abs_lsb=9,
        first_index=(0, 0, 1),
        expected=4,
        got=5,
        cause=next(iter(Cause)),
        detail="here",
    )
    costs = tuple(
        OperatorProfile(" > ".join(row.layers), row.kinds[0], "f", 1, 7.0, 1234.0 + at, None, 0.5)
        for at, row in enumerate(rows_of(build))
    )
    report = replace(make_report(build), layers=Layers(4, 3, 0, found), profile=costs)
    assert not report.is_exact_inside
    report.write_json(tmp_path / "report.json")
    assert read_json(tmp_path / "report.json") == report
    text = page(report, build, tmp_path / "inside.html")
    assert "<strong>The board differs inside</strong>" in text
    assert f"<b>conv &lt;1&gt;</b>, 5 of 112 values. Likely cause: <b>{found.cause.value}" in text
    assert "1,234 us" in text
    assert "verify with --profile" not in text
    printed = io.StringIO()
    shown = report._repr_html_()
    console = type(terminal.out)(file=printed, width=200)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal, "out", console)
        print_inside(report)
    for words in ("the first operator that differs", "5 of 112", "operators on the board, medians"):
        assert words in printed.getvalue()
        assert words in shown
    assert "conv <1>, CONV_2D, number 0 of 3" in printed.getvalue()
    assert "conv &lt;1&gt;, CONV_2D, number 0 of 3" in shown


def test_a_page_of_what_an_emulated_board_can_count(build: Path, tmp_path: Path) -> None:
    """QEMU counts instructions and takes no time, Unicorn counts nothing: nothing else is shown."""
    rows = tuple(
        OperatorProfile(" > ".join(row.layers), row.kinds[0], "f", 1, 7.0, None, 5678 + at, 0.5)
        for at, row in enumerate(rows_of(build))
    )
    in_qemu = replace(make_report(build), profile=rows)
    text = page(in_qemu, build, tmp_path / "qemu.html")
    assert "<th>instructions</th>" in text
    assert "<td>5,678</td>" in text
    assert not re.search(r"[0-9] us<", text)
    mute = tuple(replace(row, ticks=None, instructions=None, share=None) for row in rows)
    in_unicorn = replace(in_qemu, profile=mute)
    in_unicorn.write_json(tmp_path / "report.json")
    assert read_json(tmp_path / "report.json") == in_unicorn
    text = page(in_unicorn, build, tmp_path / "unicorn.html")
    assert "This board can count neither instructions nor cycles nor time." in text
    assert "<th>instructions</th>" not in text
    shown = in_unicorn._repr_html_()
    assert shown.count("cannot count") >= len(rows)
    assert "100.0%" not in shown.partition("operators on the board")[2]


def rows_of(build: Path) -> tuple[OperatorUse, ...]:
    memory = planned(GRAPH, read_report(build))
    assert memory is not None
    return memory.rows


def test_a_page_of_a_run_that_was_ended(build: Path, tmp_path: Path) -> None:
    ended = altered(make_report(build), run__complete=False, run__planned=1000)
    ended = altered(ended, device__arena_bytes=None)
    ended = replace(ended, accuracy=AccuracyFacts(None, None, "no labels", ()))
    text = page(ended, build, tmp_path / "ended.html")
    assert "<strong>Exact so far</strong>" in text
    assert "after 30 of 1,000 images" in text
    assert "Confusion" not in text


def test_a_page_where_the_build_says_little(build: Path, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    shutil.copytree(build, folder)
    (folder / "report.json").unlink()
    text = page(make_report(build), folder, tmp_path / "little.html")
    assert 'id="operators"' not in text
    assert "<strong>Exact</strong>" in text


def test_pictures_are_the_pixels_that_the_model_sees() -> None:
    tensor = GRAPH.tensors[GRAPH.input]
    pixels = np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)
    for preprocessing in (Preprocessing(), Preprocessing("bgr", (2.0, 1.0, 0.0), 1 / 255)):
        image = preprocessing.to_int8(pixels, tensor.scale, tensor.zero_point)
        url = as_data_url(image, tensor, preprocessing)
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))
        assert np.abs(shown.astype(int) - pixels).max() <= 2
    grey = as_data_url(np.zeros((5, 4, 1), np.int8), tensor, Preprocessing())
    many = as_data_url(np.zeros((5, 4, 7), np.int8), tensor, Preprocessing())
    assert grey == many


def test_the_arena_in_use_is_the_plans(build: Path) -> None:
    rows = rows_of(build)
    assert rows[-1].kinds == ("SOFTMAX",)
    assert sum(row.macs for row in rows) == GRAPH.total_macs
    assert sum(row.weights_bytes for row in rows) == GRAPH.weights_bytes
    assert planned(GRAPH, None) is None


# --- in a browser ---


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("name", ["exact", "differing"])
def test_a_browser_shows_it(name: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(name)
    said = browse(path, "--dump-dom")
    assert "CONSOLE" not in said.stderr
    assert "The run</h2>" in said.stdout
    assert said.stdout.count("<img") == path.read_text().count("<img") > 5
    light = picture_of(path)
    dark = picture_of(path, "--blink-settings=preferredColorScheme=0")
    assert light.mean() > 200 > 60 > dark.mean()
    red, green, _ = light[80, 400].astype(int)  # in the verdict
    assert (red > green) == (name == "differing")


@pytest.mark.slow
@needs_browser
def test_a_browser_tells_of_errors(tmp_path: Path) -> None:
    """The test above would see one."""
    path = tmp_path / "wrong.html"
    path.write_text("<script>nonsense()</script>")
    assert "CONSOLE" in browse(path, "--dump-dom").stderr


@pytest.mark.slow
@needs_browser
def test_a_phone_scrolls_in_one_direction(differing: Path) -> None:
    page_width, screen = width_on_a_phone(differing)
    assert page_width <= screen == 360


def test_a_page_says_what_became_of_thresholds(build: Path, tmp_path: Path) -> None:
    asked = read_thresholds(["arena>1K", "arena>1M"])
    text = page(make_report(build).judged(asked, None), build, tmp_path / "page.html")
    assert 'class="verdict bad"' in text
    assert "<p>Violated: arena&gt;1K: 1,234 B now, the limit is 1,024 B.</p>" in text
    assert "<p>Holds: arena&gt;1M: 1,234 B now, the limit is 1,048,576 B.</p>" in text
