"""Thresholds: what they mean, to the last unit, and when they are refused."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgesq.errors import EdgesqError
from edgesq.project import Sizes
from edgesq.verify import VerifyReport, read_json, write_junit
from edgesq.verify.thresholds import METRICS, Metrics, judge, read_thresholds
from support.verify_runs import altered, check_schema, facts, make_images, run

FIGURES = dict.fromkeys(METRICS, 100.0)


def violated(expression: str, now: float, before: float | None = None) -> bool:
    metric = read_thresholds([expression])[0].metric
    old: Metrics | None = None if before is None else {**FIGURES, metric: before}
    (result,) = judge(read_thresholds([expression]), {**FIGURES, metric: now}, old)
    return result.violated


@pytest.mark.parametrize(
    ("expression", "holds", "fails", "before"),
    [
        ("instructions>+1%", 303, 304, 300),
        ("instructions > +0.5 %", 2_010_000, 2_010_001, 2_000_000),
        ("instructions>-5%", 95, 96, 100),
        ("instructions<-5%", 95, 94, 100),
        ("instructions>2700000", 2_700_000, 2_700_001, None),
        ("ram>+512", 1512, 1513, 1000),
        ("ram>+0", 1000, 1001, 1000),
        ("flash>+1K", 2024, 2025, 1000),
        ("flash>+1.5KB", 2536, 2537, 1000),
        ("flash>512K", 524_288, 524_289, None),
        ("flash>1M", 1 << 20, (1 << 20) + 1, None),
        ("arena>65536B", 65_536, 65_537, None),
        ("stack>+10%", 110, 111, 100),
        ("us>+10%", 110.0, 110.001, 100.0),
        ("accuracy<-0.5", 98.0, 97.999, 98.5),
        ("accuracy<-0.5points", 98.0, 97.9, 98.5),
        ("accuracy<97", 97.0, 96.99, None),
        ("top5<97.5%", 97.5, 97.4, None),
        ("agreement<-0", 100 * (2 / 3), 66.6, 100 * (2 / 3)),
    ],
)
def test_the_limit_itself_holds(
    expression: str, holds: float, fails: float, before: float | None
) -> None:
    assert not violated(expression, holds, before)
    assert violated(expression, fails, before)


def test_shares_are_compared_as_people_write_them() -> None:
    """In floats, 98.0 - 98.5 is less than -0.5."""
    assert not violated("accuracy<-0.5", 100 * 0.98, 100 * 0.985)
    assert not violated("accuracy<98.5", 100 * (197 / 200))


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", 'is no threshold .*write it as "instructions'),
        ("ram", "is no threshold"),
        ("ram>=5", "is no threshold"),
        ("ram=5", "is no threshold"),
        ("ram>five", "is no threshold"),
        ("ram>1e5", "'e' is no unit|is no threshold"),
        ("ram>+-5", "is no threshold"),
        ("ram>" + "9" * 400, "is no threshold"),
        ("ram>1; import os", "is no threshold"),
        ("instrctions>+1%", "'instrctions' is no metric .did you mean instructions"),
        ("ram>5%", "percent of what"),
        ("accuracy<-5%", "percent, or points"),
        ("ram>+5points", "'points' is no unit of it .known: B, K, KB, M, MB"),
        ("instructions>1K", "'K' is no unit of it .known: none"),
    ],
)
def test_what_is_no_threshold_is_refused(expression: str, says: str) -> None:
    with pytest.raises(EdgesqError, match=says):
        read_thresholds([expression])


def test_a_figure_that_is_not_there_is_no_pass() -> None:
    unknown = {**FIGURES, "instructions": None}
    with pytest.raises(EdgesqError, match=r"no baseline .*--baseline"):
        judge(read_thresholds(["ram>+1"]), FIGURES, None)
    with pytest.raises(EdgesqError, match="the baseline does not say 'instructions'"):
        judge(read_thresholds(["instructions>+1%"]), FIGURES, unknown)
    with pytest.raises(EdgesqError, match="this run does not say 'instructions'"):
        judge(read_thresholds(["instructions>1"]), unknown, None)


@pytest.fixture
def report(tmp_path: Path) -> VerifyReport:
    found = run(facts(tmp_path, make_images(tmp_path / "noise.npz", 40)))
    return replace(found, sizes=Sizes(20_000, 4_000))


def test_a_report_is_judged_against_a_baseline(report: VerifyReport, tmp_path: Path) -> None:
    report.write_json(tmp_path / "baseline.json")
    baseline = read_json(tmp_path / "baseline.json")
    assert baseline.metrics == report.metrics
    assert report.check(["ram>+0", "flash>+0", "accuracy<-0", "stack>+0%"], baseline) == ()
    larger = replace(report, sizes=Sizes(20_000, 4_100))
    (found,) = larger.check(["flash>+0", "ram>+1%"], baseline)
    assert str(found) == "ram>+1%: 4,000 B in the baseline, 4,100 B now, the limit is 4,040 B"
    assert (found.baseline, found.now, found.limit) == (4000, 4100, 4040)


def test_a_violated_threshold_is_in_every_form_of_the_report(
    report: VerifyReport, tmp_path: Path
) -> None:
    judged = report.judged(read_thresholds(["ram>1000", "flash>1M"]), None)
    assert (report.passed, judged.equal, judged.passed) == (True, True, False)
    check_schema(judged)
    rows = json.loads(_written(judged, tmp_path / "v.json"))["thresholds"]
    assert [(row["expression"], row["violated"]) for row in rows] == [
        ("ram>1000", True),
        ("flash>1M", False),
    ]
    write_junit(judged, tmp_path / "junit.xml")
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()[0]
    assert suite.get("failures") == "1"
    failed = suite.find("testcase[@name='threshold ram>1000']/failure")
    assert failed is not None
    assert failed.get("message") == "ram>1000: 4,000 B now, the limit is 1,000 B"
    assert suite.find("testcase[@name='threshold flash>1M']/failure") is None


def test_a_baseline_of_something_else_is_refused(report: VerifyReport) -> None:
    other = altered(report, device__board="another")
    with pytest.raises(EdgesqError, match=r"another board: 40 images on another, now 40 on bench7"):
        report.check(["ram>+1"], other)
    fewer = altered(report, run__images=39, run__planned=39)
    assert report.check(["ram>+1"], fewer) == ()
    with pytest.raises(EdgesqError, match="another number of images"):
        report.check(["accuracy<-1"], fewer)
    assert report.check(["accuracy<1"], other) == ()


def test_another_compiler_is_told(report: VerifyReport) -> None:
    before = altered(report, device__build="gcc 1.1")
    for expression, told in (("ram>+1", True), ("ram>1M", False)):
        notes = report.judged(read_thresholds([expression]), before).notes
        assert ("the baseline was compiled by gcc 1.1, this by gcc 1.2" in notes) == told


def _written(report: VerifyReport, path: Path) -> str:
    report.write_json(path)
    return path.read_text()


def test_a_baseline_of_another_model_is_told(report: VerifyReport) -> None:
    other = replace(report, run=replace(report.run, model_sha256="0" * 64))
    wanted = read_thresholds(["ram>+1"])
    assert "the baseline is of another model" in report.judged(wanted, other).notes
    assert "the baseline is of another model" not in report.judged(wanted, report).notes


def test_a_baseline_may_be_a_file(report: VerifyReport, tmp_path: Path) -> None:
    report.write_json(tmp_path / "baseline.json")
    assert report.check(["ram>+0"], tmp_path / "baseline.json") == ()
    assert report.check(["ram>+0"], str(tmp_path / "baseline.json")) == ()
    with pytest.raises(EdgesqError, match="none"):
        report.check(["ram>+0"], tmp_path / "none.json")
