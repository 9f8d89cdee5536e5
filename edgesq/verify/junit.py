"""The report as JUnit XML, which CI servers show."""

import re
from pathlib import Path
from xml.etree import ElementTree

from edgesq.files import write_output
from edgesq.verify.diagnose import Cause
from edgesq.verify.report import BoardShare, Comparison, VerifyReport
from edgesq.verify.tally import Note

_PROPERTIES = (
    *("model_sha256", "board", "core", "kernels", "build", "port", "expected_by", "images_from"),
    *(
        "device_instructions",
        "device_us",
        "device_us_p95",
        "device_stack_bytes",
        "device_arena_bytes",
    ),
    *("link_bytes_per_s", "retries", "resets", "accuracy", "top5_accuracy"),
)
_MAX_PAIRS = 12
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(report: VerifyReport, path: Path) -> None:
    """Write a report as JUnit XML, whole or not at all.

    Test cases are: whether all images were streamed, whether all values are equal, one that fails
    for each image named as differing, whether all operators are, where that was looked at, and the
    accuracy, which never fails.
    """
    suite = ElementTree.Element("testsuite", name=f"edgesq verify, {_clean(report.board)}")
    properties = ElementTree.SubElement(suite, "properties")
    for name in _PROPERTIES:
        value = getattr(report, name)
        if value is not None:
            ElementTree.SubElement(properties, "property", name=name, value=_clean(str(value)))
    seconds = f"{report.seconds:.3f}"
    _complete(suite, report)
    _exact(suite, report).set("time", seconds)
    for note in report.differing:
        _image(suite, report, note)
    _layers(suite, report)
    _accuracy(suite, report)
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
    place = f"edgesq.verify.{_clean(report.board)}"
    return ElementTree.SubElement(suite, "testcase", classname=place, name=name, time="0")


def _complete(suite: ElementTree.Element, report: VerifyReport) -> None:
    case = _case(suite, report, "all images streamed")
    if not report.complete:
        said = f"{report.images} of {report.images_planned} images, then it was ended"
        ElementTree.SubElement(case, "error", message=said, type="incomplete")


def _exact(suite: ElementTree.Element, report: VerifyReport) -> ElementTree.Element:
    case = _case(suite, report, "every value equal")
    if not report.is_exact:
        wrong = report.images - report.bit_exact_images
        said = (
            f"{wrong} of {report.images} images differ from {report.expected_by}: "
            f"{report.differing_values} of {report.values} values, "
            f"by at most {report.max_abs_lsb} LSB"
        )
        failure = ElementTree.SubElement(case, "failure", message=said, type="differs")
        failure.text = "images " + ", ".join(str(note.image) for note in report.differing)
        if wrong > len(report.differing):
            failure.text += f" and {wrong - len(report.differing)} more"
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
    if report.accuracy is None:
        ElementTree.SubElement(case, "skipped", message=_clean(report.no_accuracy or ""))
    else:
        ElementTree.SubElement(case, "system-out").text = f"{report.accuracy:.4f}"


def _classes(report: VerifyReport) -> list[str]:
    """Return the class order, where somebody says one, and what is confused most often."""
    wrong = [pair for pair in report.confusion if pair[0] != pair[1]]
    worst = [
        f"{images} of class {report.class_name(label)} are taken for {report.class_name(said)}"
        for label, said, images in sorted(wrong, key=lambda pair: -pair[2])[:_MAX_PAIRS]
    ]
    return [*([f"classes: {report.classes}"] if report.class_names else []), *worst]


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
