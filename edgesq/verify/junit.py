"""The report as JUnit XML, which CI servers show."""

import re
from operator import attrgetter
from pathlib import Path
from xml.etree import ElementTree

from edgesq.files import write_output
from edgesq.verify.diagnose import Cause
from edgesq.verify.facts import BoardShare, Comparison
from edgesq.verify.report import VerifyReport
from edgesq.verify.tally import Note

_PROPERTIES = (
    *("run.model_sha256", "run.expected_by", "run.images_from"),
    *("device.board", "device.core", "device.kernels", "device.build", "device.instructions"),
    "device.cycles",
    *("device.us", "device.us_p95", "device.stack_bytes", "device.arena_bytes"),
    *("link.port", "link.bytes_per_s", "link.retries", "link.resets"),
    *("accuracy.top1", "accuracy.top5"),
)
"""Of the report, as its JSON calls them."""

_MAX_PAIRS = 12
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(report: VerifyReport, path: Path) -> None:
    """Write a report as JUnit XML, whole or not at all.

    Test cases are: whether all images were streamed, whether all values are equal, one that fails
    for each image named as differing, whether all operators are, where that was looked at, the
    accuracy, which never fails, and each threshold.
    """
    suite = ElementTree.Element("testsuite", name=f"edgesq verify, {_clean(report.device.title)}")
    properties = ElementTree.SubElement(suite, "properties")
    for name in _PROPERTIES:
        value = attrgetter(name)(report)
        if value is not None:
            ElementTree.SubElement(properties, "property", name=name, value=_clean(str(value)))
    seconds = f"{report.run.seconds:.3f}"
    _complete(suite, report)
    _exact(suite, report).set("time", seconds)
    for note in report.examples.differing:
        _image(suite, report, note)
    _layers(suite, report)
    _accuracy(suite, report)
    _thresholds(suite, report)
    output = [*_classes(report), *report.notes, *report.warnings]
    output += [*map(_in_words, report.comparisons), *map(_share, report.boards)]
    ElementTree.SubElement(suite, "system-out").text = _clean("\n".join(output))
    for kind in ("failure", "error", "skipped"):
        key = {"failure": "failures", "error": "errors"}.get(kind, kind)
        suite.set(key, str(len(suite.findall(f"testcase/{kind}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("time", seconds)
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    write_output(path, ElementTree.tostring(suites, "unicode", xml_declaration=True) + "\n")


def _case(suite: ElementTree.Element, report: VerifyReport, name: str) -> ElementTree.Element:
    place = f"edgesq.verify.{_clean(report.device.title)}"
    return ElementTree.SubElement(suite, "testcase", classname=place, name=name, time="0")


def _complete(suite: ElementTree.Element, report: VerifyReport) -> None:
    case = _case(suite, report, "all images streamed")
    if not report.run.complete:
        said = f"{report.run.images} of {report.run.planned} images, then it was ended"
        ElementTree.SubElement(case, "error", message=said, type="incomplete")


def _exact(suite: ElementTree.Element, report: VerifyReport) -> ElementTree.Element:
    case = _case(suite, report, "every value equal")
    if not report.is_exact:
        wrong = report.run.images - report.result.exact_images
        said = (
            f"{wrong} of {report.run.images} images differ from {report.run.expected_by}: "
            f"{report.result.differing_values} of {report.result.values} values, "
            f"by at most {report.result.max_abs_lsb} LSB"
        )
        failure = ElementTree.SubElement(case, "failure", message=said, type="differs")
        failure.text = "images " + ", ".join(str(note.image) for note in report.examples.differing)
        if wrong > len(report.examples.differing):
            failure.text += f" and {wrong - len(report.examples.differing)} more"
    return case


def _image(suite: ElementTree.Element, report: VerifyReport, note: Note) -> None:
    case = _case(suite, report, f"image {note.image}")
    said = f"{note.differing} values differ, by at most {note.max_abs_lsb} LSB"
    failure = ElementTree.SubElement(case, "failure", message=said, type="differs")
    changes = [
        f"{'logits' if which else 'output'} {place}: {expected}, got {got}"
        for which, place, expected, got in note.changes
    ]
    tops = f"expected {_top(report, note.expected)}\ngot      {_top(report, note.got)}"
    failure.text = "\n".join([*changes, tops])


def _layers(suite: ElementTree.Element, report: VerifyReport) -> None:
    if report.layers is None:
        return
    case = _case(suite, report, "every operator equal")
    found = report.layers.difference
    if found is not None:
        said = f"{_clean(found.name)}: {found.differing} of {found.values} values differ"
        failure = ElementTree.SubElement(case, "failure", message=said, type="differs")
        failure.text = _clean(f"likely cause: {Cause(found.cause).value}: {found.detail}")


def _accuracy(suite: ElementTree.Element, report: VerifyReport) -> None:
    case = _case(suite, report, "accuracy")
    if report.accuracy.top1 is None:
        ElementTree.SubElement(case, "skipped", message=_clean(report.accuracy.why_not or ""))
    else:
        ElementTree.SubElement(case, "system-out").text = f"{report.accuracy.top1:.4f}"


def _thresholds(suite: ElementTree.Element, report: VerifyReport) -> None:
    for one in report.thresholds:
        case = _case(suite, report, _clean(f"threshold {one.expression}"))
        if one.violated:
            ElementTree.SubElement(case, "failure", message=_clean(str(one)), type="threshold")
        else:
            ElementTree.SubElement(case, "system-out").text = _clean(str(one))


def _classes(report: VerifyReport) -> list[str]:
    """Return the class order, where somebody says one, and what is confused most often."""
    name_of = report.classes.name_of
    worst = [
        f"{images} of class {name_of(label)} are taken for {name_of(said)}"
        for label, said, images in report.accuracy.mistaken[:_MAX_PAIRS]
    ]
    return [*([f"classes: {report.classes}"] if report.classes.names else []), *worst]


def _top(report: VerifyReport, places: tuple[tuple[int, float], ...]) -> str:
    names = ((_clean(report.output_name(place, places)), value) for place, value in places)
    return ", ".join(f"{name}: {value:.4f}" for name, value in names)


def _in_words(row: Comparison) -> str:
    if not row.outputs:
        return f"{row.against}: {row.note}"
    figures = [
        f"{item.output}: {item.differing} of {item.values} values differ, "
        f"at most {item.max_abs_lsb} LSB, RMSE {item.rmse:.3g}"
        for item in row.outputs
    ]
    if row.top1_agreement is not None:
        figures.append(f"top-1 agreement {row.top1_agreement:.4f}")
    return f"{row.against}: {'; '.join(figures)}"


def _share(row: BoardShare) -> str:
    error = "" if row.error is None else f": {row.error}"
    return f"{row.port}: {row.images} images, {row.state}{error}"


def _clean(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return _NOT_XML.sub("?", text)
