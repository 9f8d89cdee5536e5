"""The figures of a report, its schema, and its JUnit form."""

import json
import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray

from edgesq.calibrate import Classes
from edgesq.formats.onnx import integer_onnx, onnx_bytes
from edgesq.graph import Tensor
from edgesq.records import json_text, made, plain
from edgesq.verify import VerifyReport, write_junit
from edgesq.verify.metrics import OutputSums, best
from edgesq.verify.oracle import Peer, peers
from edgesq.verify.summary import Facts
from edgesq.verify.tally import MAX_DIFFERING, MAX_EXAMPLES, Tally
from edgesq.verify.thresholds import read_thresholds
from support.verify_runs import (
    CLASSES,
    GRAPH,
    PretendedClient,
    altered,
    check_schema,
    facts,
    make_images,
    reference,
    run,
)

COUNT = 40


def floats(inputs: NDArray[np.int8]) -> tuple[NDArray[np.float32]]:
    """A float model: the output without its quantization's last bit, and no logits."""
    tensor = GRAPH.tensors[GRAPH.output]
    steps = reference(inputs)[0].astype(np.float32) - tensor.zero_point
    return (steps * np.float32(tensor.scale) * np.float32(1.01),)


@pytest.fixture
def noise(tmp_path: Path) -> Facts:
    made = facts(tmp_path, make_images(tmp_path / "noise.npz", COUNT))
    forms = Peer("float model", floats, "floats"), Peer("lost", None, "is not there")
    return replace(made, peers=forms)


@pytest.fixture
def exact(noise: Facts) -> VerifyReport:
    return run(noise)


@pytest.fixture
def differing(noise: Facts) -> VerifyReport:
    return run(noise, client=PretendedClient(lambda mark: mark % 4 == 0))


# --- figures ---


def test_sums_are_those_of_all_values() -> None:
    chance = np.random.default_rng(0)
    tensor = Tensor("t", (1, 9), GRAPH.tensors[GRAPH.observed[1]].quantization)
    got = chance.integers(-128, 128, (20, 9), np.int8)
    expected = chance.integers(-128, 128, (20, 9), np.int8)
    sums = OutputSums()
    for theirs, ours in zip(expected, got, strict=True):
        sums.add(theirs, ours, tensor)
    real = [(rows.astype(float) - tensor.zero_point) * tensor.scale for rows in (expected, got)]
    gap = got.astype(int) - expected
    assert (sums.values, sums.differing) == (180, int(np.count_nonzero(gap)))
    assert sums.max_abs_lsb == np.abs(gap).max()
    assert sums.rmse == pytest.approx(np.sqrt(np.mean((real[0] - real[1]) ** 2)))
    norms = np.linalg.norm(real[0]) * np.linalg.norm(real[1])
    assert sums.cosine == pytest.approx(np.vdot(real[0], real[1]) / norms)
    power = np.square(real[0]).sum() / np.square(real[0] - real[1]).sum()
    assert sums.sqnr_db == pytest.approx(10 * math.log10(power))
    assert dict(sums.histogram) == dict(zip(*np.unique(gap, return_counts=True), strict=True))
    assert plain(made(OutputSums, json.loads(json_text(sums)))) == plain(sums)


def test_equal_values_have_no_noise() -> None:
    tensor = GRAPH.tensors[GRAPH.output]
    sums = OutputSums()
    sums.add(np.array([5, -3], np.int8), np.array([5, -3], np.int8), tensor)
    assert (sums.differing, sums.rmse, sums.cosine, sums.sqnr_db) == (0, 0, 1, None)
    zeros = np.full(2, tensor.zero_point, np.int8)
    sums = OutputSums()
    sums.add(zeros, zeros, tensor)
    assert (sums.cosine, sums.sqnr_db, sums.histogram) == (None, None, ((0, 2),))


def test_floats_are_rounded_to_steps_but_not_for_the_rmse() -> None:
    tensor = GRAPH.tensors[GRAPH.output]  # scale 1/256, zero point -128
    sums = OutputSums()
    real = np.array([0.25 + 0.4 / 256, 9.0], np.float32)
    sums.add(real, np.array([-64, 127], np.int8), tensor)
    assert (sums.differing, sums.max_abs_lsb) == (0, 0)
    assert sums.rmse == pytest.approx(math.sqrt((0.4 / 256) ** 2 / 2 + (9 - 255 / 256) ** 2 / 2))


def test_the_five_largest() -> None:
    assert best(np.array([3, 9, 9, -128, 127, 0, 1], np.int8)) == [4, 1, 2, 0, 6]
    assert best(np.array([1.5], np.float32)) == [0]


def test_an_exact_run(exact: VerifyReport) -> None:
    assert exact.is_exact
    assert exact.run.complete
    decides, real, lost = exact.comparisons
    assert (decides.against, decides.top1_agreement, decides.top5_agreement) == (
        "numpy reference",
        1,
        1,
    )
    assert [item.output for item in decides.outputs] == ["output", "logits"]
    assert [item.histogram for item in decides.outputs] == [((0, COUNT * CLASSES),)] * 2
    assert [item.output for item in real.outputs] == ["output"]
    assert real.outputs[0].rmse > 0
    assert real.outputs[0].sqnr_db == pytest.approx(20 * math.log10(101), abs=0.01)
    assert (lost.outputs, lost.top1_agreement, lost.note) == ((), None, "is not there")
    assert exact.examples.differing == ()
    assert len(exact.examples.uncertain) == MAX_EXAMPLES
    margins = [note.margin_lsb for note in exact.examples.uncertain]
    assert margins == sorted(margins)


def test_accuracy_and_confusion(exact: VerifyReport, noise: Facts) -> None:
    inputs = np.stack(list(noise.images.read()))
    said = reference(inputs)[0].argmax(axis=1)
    assert noise.images.labels is not None
    right = said == noise.images.labels
    assert exact.accuracy.top1 == pytest.approx(right.mean())
    assert exact.accuracy.top5 is not None
    assert 0.5 < right.mean() < exact.accuracy.top5 <= 1
    assert sum(images for *_, images in exact.accuracy.confusion) == COUNT
    diagonal = sum(images for label, said, images in exact.accuracy.confusion if label == said)
    assert diagonal == right.sum()
    wrong = [note.image for note in exact.examples.misclassified]
    assert wrong == np.flatnonzero(~right)[:MAX_EXAMPLES].tolist()


def test_times_are_median_and_p95(exact: VerifyReport, noise: Facts) -> None:
    images = (image.tobytes() for image in noise.images.read())
    ticks = [one.ticks for one in PretendedClient().stream(images, ahead=True)]
    assert exact.device.us == np.median(ticks)
    assert exact.device.us_p95 == np.percentile(ticks, 95)
    assert (exact.device.stack_bytes, exact.device.arena_bytes) == (48, 1006)
    assert exact.device.arena_planned_bytes == 1234
    assert exact.run.seconds == COUNT * 0.25


def test_images_that_differ_are_named(differing: VerifyReport) -> None:
    assert (
        0
        < len(differing.examples.differing)
        == COUNT - differing.result.exact_images
        < MAX_DIFFERING
    )
    assert all(note.differing == 1 for note in differing.examples.differing)
    assert differing.result.max_abs_lsb in (1, 2, 3)
    assert differing.result.top1_agreement == 1
    assert differing.comparisons[0].outputs[0].differing == 0
    assert differing.comparisons[0].outputs[1].differing == len(differing.examples.differing)


def test_the_forms_of_a_build(tmp_path: Path) -> None:
    absent = peers(tmp_path, GRAPH)
    assert [peer.run for peer in absent] == [None, None]
    assert "exported from a .tflite" in absent[1].note
    (tmp_path / "model_int8.onnx").write_bytes(onnx_bytes(integer_onnx(GRAPH)))
    (tmp_path / "model_float.onnx").write_bytes(b"nonsense")
    integer, real = peers(tmp_path, GRAPH)
    assert real.run is None
    assert "cannot be run" in real.note
    assert integer.run is not None
    image = np.random.default_rng(0).integers(-128, 128, (1, 4, 4, 3), np.int8)
    for mine, theirs in zip(integer.run(image), reference(image), strict=True):
        np.testing.assert_array_equal(mine, theirs)


# --- the schema ---


def test_reports_are_valid(exact: VerifyReport, differing: VerifyReport) -> None:
    for report in (exact, differing, replace(exact, resume=Tally())):
        check_schema(report)
    with pytest.raises(jsonschema.ValidationError, match=r"1\.5"):
        check_schema(altered(exact, accuracy__top1=1.5))
    with pytest.raises(jsonschema.ValidationError, match="values"):
        check_schema(altered(exact, result__values=None))


# --- JUnit ---


def junit(report: VerifyReport, path: Path) -> ElementTree.Element:
    write_junit(report, path)
    root = ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    (suite,) = root
    cases = suite.findall("testcase")
    assert suite.get("tests") == str(len(cases))
    for key, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        assert suite.get(key) == str(len(suite.findall(f"testcase/{tag}")))
    for case in cases:
        assert case.get("name")
        assert case.get("classname") == "edgesq.verify.bench7"
        assert float(case.get("time", "")) >= 0
        assert len(case) <= 1
    return suite


def test_junit_of_an_exact_run(exact: VerifyReport, tmp_path: Path) -> None:
    suite = junit(replace(exact, warnings=("slow <kernels> \x00",)), tmp_path / "junit.xml")
    names = [case.get("name") for case in suite.findall("testcase")]
    assert names == ["all images streamed", "every value equal", "accuracy"]
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "0")
    assert "slow <kernels> ?" in (suite.findtext("system-out") or "")
    properties = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert properties["device.stack_bytes"] == "48"
    assert properties["run.model_sha256"] == GRAPH.sha256


def test_junit_of_images_that_differ(differing: VerifyReport, tmp_path: Path) -> None:
    suite = junit(differing, tmp_path / "junit.xml")
    numbers = [note.image for note in differing.examples.differing]
    assert suite.get("failures") == str(1 + len(numbers))
    failed = [case.get("name") for case in suite.findall("testcase[failure]")]
    assert failed == ["every value equal", *(f"image {number}" for number in numbers)]
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert f"{len(numbers)} of {COUNT} images differ" in (failure.get("message") or "")


def test_junit_of_a_run_that_was_ended(exact: VerifyReport, tmp_path: Path) -> None:
    ended = altered(exact, run__complete=False, run__planned=99, accuracy__top1=None)
    suite = junit(ended, tmp_path / "junit.xml")
    assert (suite.get("errors"), suite.get("skipped")) == ("1", "1")
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("message") == "40 of 99 images, then it was ended"


def test_a_report_shows_itself_in_a_notebook(differing: VerifyReport) -> None:
    names = Classes(tuple(f"<script>{number}" for number in range(CLASSES)), "somebody")
    judged = replace(differing, classes=names).judged(read_thresholds(["stack>1"]), None)
    shown = judged._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;3" in shown
    for title in ("bench7 against", "every form of the model", "class, and what", "thresholds"):
        assert f"{title}" in shown
    ElementTree.fromstring(f"<div>{shown}</div>")  # every element is closed
    values = f"{judged.result.differing_values} of {judged.result.values}"
    accuracy = f"{judged.accuracy.top1:.1%}"
    assert repr(judged) == (
        f"VerifyReport({COUNT} images on bench7: {values} values differ, accuracy {accuracy}, "
        "thresholds violated: 1)"
    )
