"""The page of an export: what is in it, that it does no harm, and that a browser shows it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from edgesq.builds import Operator, SizePoint, plan_picture, planned, write_report
from edgesq.builds.facts import CalibrationFacts, CompressionFacts, LayerSize, ParityFacts
from edgesq.builds.page import export_page
from edgesq.builds.page_files import PAGE, SHEET, refreshed, write_page
from edgesq.builds.parity import ParityRow
from edgesq.calibrate import AuditRow, Classes, ImageSet, Preprocessing, cut, make_sheet
from edgesq.errors import EdgesqError
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, digest
from edgesq.plan import curve, needs, operator_costs, plan_for
from edgesq.plan.fit import DECODER_FLASH_BYTES, FIRMWARE_FLASH_BYTES
from edgesq.project import Sizes
from edgesq.targets import load_target
from support.browser import browse, check_alone, needs_browser, picture_of, width_on_a_phone
from support.builds import light_build
from support.cases import NETWORKS
from support.ladder import shared_model
from support.reports import report_of

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>\0\x1b[31m"
PICTURES = np.random.default_rng(3).integers(0, 256, (40, 20, 30, 3), np.uint8)
IMAGES = ImageSet(
    PICTURES,
    None,
    Classes(),
    Preprocessing(),
    tuple(Path(f"/somewhere/<b>{number}.png") for number in range(40)),
)
AUDIT = (
    AuditRow("images", 40, 32, True, "40 images; enough: give more"),
    AuditRow("near-duplicates", 0.5, 0.25, False, "half of them <b>: give others", (17, 31)),
)
POINT = SizePoint(400_000, 300_000, 3.0, 0.02, 0.97, 0.4, 100)
COMPRESSION = CompressionFacts(
    410_000,
    900_000,
    POINT,
    40,
    (POINT, replace(POINT, image_bytes=900_000, kl=0.001, agreement=0.99)),
    (LayerSize("conv<1>", 1000, 300, 2.4, 0.3, 1.0),),
)


KNOWN_TAGS = {
    *("html", "head", "meta", "link", "title", "style", "body", "main", "section", "details"),
    *("h1", "h2", "p", "div", "span", "strong", "b", "i", "br", "small", "summary", "code"),
    *("table", "tr", "th", "td", "ul", "ol", "li", "dl", "dt", "dd", "figure", "figcaption", "img"),
    *("svg", "path", "rect", "circle", "line", "polyline", "text"),
}


def graph_of(name: str = "every_operator") -> Graph:
    return read_graph(NETWORKS[name]())


def page(graph: Graph, measured: Sequence[int] | None = None, **changes: object) -> str:
    """Return the page of a build of a model for a Cortex-M7."""
    report = replace(
        report_of("mps2-an500", graph, sizes=Sizes(500_000, 40_000)),
        **changes,  # type: ignore[arg-type]
    )
    return export_page(report, graph, planned(report, graph), measured=measured)


def rich_page(graph: Graph) -> str:
    """Return a page with all sections, and hostile words wherever there may be some."""
    sheet = make_sheet(IMAGES, AUDIT)
    report = report_of("mps2-an500", graph, sizes=Sizes(500_000, 40_000))
    classes = Classes(tuple(f"{HOSTILE}{number}" for number in range(1000)), f"by {HOSTILE}")
    report = replace(
        report,
        model=replace(report.model, name=HOSTILE),
        calibration=CalibrationFacts(Preprocessing(), None, classes, AUDIT, sheet.cells),
        parity=ParityFacts(HOSTILE, (ParityRow("QDQ", 4, 0, None, None, None, HOSTILE),)),
        warnings=(HOSTILE, "w" * 100_000),
        notes=(HOSTILE,),
        compression=COMPRESSION,
        versions={"python": HOSTILE},
    )
    cells = cut(sheet.jpeg, len(sheet.cells))
    return export_page(report, graph, planned(report, graph), cells=cells)


def test_every_section_is_there() -> None:
    text = rich_page(graph_of())
    check_alone(text)
    parts = ("network", "peak", "arena", "fullest", "blocks", "operators", "curve", "boards")
    for part in (*parts, "losses", "parity", "audit"):
        assert f'id="{part}"' in text, part
    assert "500,000 B of flash, 40,000 B of RAM" in text
    assert re.search(r"The arena of [\d,]+ B is fullest at step [\d,]+ of", text)
    assert "half of them &lt;b&gt;: give others" in text
    assert "and 800 more" in text
    assert "could not run" in text


def test_words_of_others_are_words() -> None:
    graph = graph_of()
    named = tuple(replace(op, name=f"{HOSTILE}{number}") for number, op in enumerate(graph.ops))
    text = rich_page(replace(graph, ops=named))
    found = Tags()
    found.feed(text)
    assert found.names <= KNOWN_TAGS
    assert [name for name in found.attributes if name.startswith("on")] == []
    assert "\0" not in text
    assert "\x1b" not in text
    assert text.count("&lt;script&gt;") > 20


class Tags(HTMLParser):
    """Collects what a page's tags and attributes are."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_images_that_a_check_found_wrong_come_first() -> None:
    text = rich_page(graph_of())
    figures = re.findall(r"<figure(.*?)</figure>", text, re.DOTALL)
    assert len(figures) == 2 + 12
    assert [' class="warned"' in one for one in figures] == [True, True] + [False] * 12
    assert "calibration image 17" in figures[0]
    assert "near-duplicates" in figures[0]
    assert "&lt;b&gt;17.png" in figures[0]
    assert "somewhere" not in text


def test_a_sheet_shows_the_images() -> None:
    sheet = make_sheet(IMAGES, AUDIT)
    assert [one.number for one in sheet.cells] == [17, 31, *range(12)]
    assert make_sheet(IMAGES, AUDIT).jpeg == sheet.jpeg
    for content in (b"", b"GIF89a", sheet.jpeg[:100]):
        with pytest.raises(EdgesqError, match="is no sheet"):
            cut(content, len(sheet.cells))
    with pytest.raises(EdgesqError, match="another size"):
        cut(sheet.jpeg, 200)


def test_measured_instructions_are_said_to_be() -> None:
    graph = graph_of()
    chosen = planned(report_of("mps2-an500", graph), graph)
    assert chosen is not None
    counts = [1000 + number for number in range(len(chosen.plan.ops))]
    text = page(graph, counts)
    assert "counted by the board" in text
    assert f"<td>{counts[-1]:,}</td>" in text
    assert "estimated; a run of verify" in page(graph)
    assert "counted by the board" not in page(graph, counts[:-1])  # not of this build


@pytest.mark.parametrize("target", ["mps2-an500", "microbit", "mps3-an547"])
def test_flash_of_operators_adds_up(target: str) -> None:
    """What the page shows of flash is what the plan needs, without code and the schedule."""
    graph, board = graph_of("conv_3x3_same"), load_target(target)
    plan = plan_for(graph, board).plan
    costs = operator_costs(graph, plan, board.kernels)
    shown = sum(cost.weights_bytes + cost.tables_bytes for cost in costs)
    rest = needs(graph, plan, board)["flash"] - shown
    assert rest >= FIRMWARE_FLASH_BYTES
    assert rest <= FIRMWARE_FLASH_BYTES + DECODER_FLASH_BYTES + 20_000
    chosen = plan_for(graph, board)
    counted = sum(cost.instructions for cost in costs)
    assert 0.8 * chosen.instructions < counted <= chosen.instructions


def test_a_build_that_says_little() -> None:
    text = page(graph_of("conv_1x1"), sizes=None)
    assert "Not compiled" in text
    assert "Calibration images" not in text
    assert "Compression" not in text
    report = report_of("host", graph_of("conv_1x1"))
    firmware = replace(report.firmware, kernels="tflm", plan=None, operators=())
    text = export_page(replace(report, firmware=firmware), graph_of("conv_1x1"), None)
    assert "plans its own memory" in text


@pytest.mark.parametrize("name", ["squeezenet_v1.1_1000c_224", "squeezenet_v1.0_10c_32"])
def test_pages_of_large_networks_are_small(name: str) -> None:
    graph = read_graph(shared_model(name))
    assert len(page(graph)) < 250_000
    assert len(rich_page(graph)) < 500_000


def test_names_without_end_make_no_page_without_end() -> None:
    graph = graph_of()
    named = tuple(replace(op, name="n" * 100_000) for op in graph.ops)
    assert len(page(replace(graph, ops=named))) < 1_500_000


def test_a_page_is_made_again_where_the_build_changed(tmp_path: Path) -> None:
    content = NETWORKS["conv_3x3_same"]()
    graph = read_graph(content)
    height, width, channels = graph.tensors[graph.input].hwc
    light_build(tmp_path, "host", content, np.zeros((1, height, width, channels), np.int8))
    report = report_of("host", graph)
    (tmp_path / PAGE).write_text("stale")
    assert refreshed(tmp_path, report) == report  # no export wrote that page
    known = replace(report, files={PAGE: digest(b"stale")})
    changed = refreshed(tmp_path, known)
    assert "for host" in (tmp_path / PAGE).read_text()
    assert changed.files == {PAGE: digest((tmp_path / PAGE).read_bytes())}
    (tmp_path / PAGE).write_text("mine")
    assert refreshed(tmp_path, changed) == changed
    assert (tmp_path / PAGE).read_text() == "mine"


def test_a_page_of_any_build(tmp_path: Path) -> None:
    content = NETWORKS["conv_3x3_same"]()
    graph = read_graph(content)
    height, width, channels = graph.tensors[graph.input].hwc
    light_build(tmp_path, "host", content, np.zeros((1, height, width, channels), np.int8))
    sheet = make_sheet(IMAGES, AUDIT)
    report = report_of("host", graph)
    shown = replace(report.calibration, audit=AUDIT, shown=sheet.cells)
    write_report(tmp_path, replace(report, calibration=shown))
    (tmp_path / SHEET).write_bytes(sheet.jpeg)
    write_page(tmp_path, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text().count("<figure") == len(sheet.cells)
    (tmp_path / SHEET).write_bytes(b"damaged")
    write_page(tmp_path, tmp_path / "page.html")
    assert "<figure" not in (tmp_path / "page.html").read_text()


def test_which_kernel_runs_an_operator_is_said() -> None:
    graph = graph_of()
    operators: tuple[Operator, ...] = report_of("mps2-an500", graph).firmware.operators
    text = page(graph)
    assert {operator.family for operator in operators} >= {"dsp"}
    assert text.count(">dsp<") > 2


# --- in a browser ---


@pytest.mark.slow
@needs_browser
def test_a_browser_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(rich_page(graph_of()))
    said = browse(path, "--dump-dom")
    assert "CONSOLE" not in said.stderr
    assert "The build</h2>" in said.stdout
    assert said.stdout.count("<figure") == 14
    light = picture_of(path)
    dark = picture_of(path, "--blink-settings=preferredColorScheme=0")
    assert light.mean() > 200 > 60 > dark.mean()
    page_width, screen = width_on_a_phone(path)
    assert page_width <= screen == 360


@pytest.mark.slow
@needs_browser
def test_a_browser_shows_the_picture_of_plans(tmp_path: Path) -> None:
    """The file by itself: ticks, words and the mark are seen at its own size."""
    graph = graph_of()
    report = report_of("mps2-an500", graph)
    chosen = planned(report, graph)
    assert chosen is not None
    path = tmp_path / "plan.svg"
    plan_picture(curve(graph, "dsp"), chosen, report.request.optimize).write(path)
    shown = picture_of(path).astype(int)[:380, :640]
    red, green, blue = np.moveaxis(shown, -1, 0)
    assert ((green > red + 60) & (green > blue + 20)).sum() > 60  # the circle
    assert ((blue > red + 100) & (blue > 180)).sum() > 300  # the line
    assert (shown.sum(axis=-1) < 300).sum() > 500  # words
