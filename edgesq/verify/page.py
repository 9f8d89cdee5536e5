"""The report as one HTML page that needs nothing but itself."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgesq.builds import ExportReport, read_model, read_report
from edgesq.calibrate import Preprocessing
from edgesq.errors import EdgesqError
from edgesq.files import write_output
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, Int8Array
from edgesq.pages import Picture, histogram
from edgesq.pages.render import render
from edgesq.verify.images import VerifyImages, open_images, read_preprocessing
from edgesq.verify.memory import planned
from edgesq.verify.pictures import as_data_url
from edgesq.verify.profile import OperatorProfile
from edgesq.verify.report import VerifyReport
from edgesq.verify.run import VerifyOptions
from edgesq.verify.tally import Note

_MAX_PICTURES, _MAX_CLASSES, _MAX_PAIRS = 12, 30, 12
"""Of differing images; in a confusion matrix, above which the pairs confused most often stand."""


@dataclass(frozen=True)
class Place:
    """One of the five largest outputs.

    Attributes:
        name: of the class.
        value: in reals.
        share: of the largest one shown, 0..1.
        is_label: whether it is the image's class.
    """

    name: str
    value: float
    share: float
    is_label: bool


@dataclass(frozen=True)
class Card:
    """An image worth a look, as shown.

    Attributes:
        note: what was found.
        picture: data: URL of the input.
        file: its name, if it is a file.
        label: name of its class; empty where nobody says.
        expected: the five largest expected outputs.
        got: the board's.
    """

    note: Note
    picture: str
    file: str
    label: str
    expected: tuple[Place, ...]
    got: tuple[Place, ...]


@dataclass(frozen=True)
class Confusion:
    """What classes are taken for which.

    Attributes:
        names: of the classes; empty where there are too many for a matrix.
        rows: images by class and the board's class, and their share of the class.
        pairs: class, the board's class, images, the most frequent first; instead of a matrix.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[tuple[int, float], ...], ...]
    pairs: tuple[tuple[str, str, int], ...]


def write_page(report: VerifyReport, options: VerifyOptions, path: Path) -> None:
    """Write a report as an HTML page with pictures, whole or not at all.

    Args:
        report: what was found.
        options: by which it was found: the build says how pixels became inputs and what the plan
            is, the images are read again.
        path: the file.

    Raises:
        ImageError: an image to be shown cannot be read any more.
        ModelError: BUILD holds no readable model.
    """
    build = options.build
    graph = read_graph(read_model(build), str(build))
    images = open_images(build, graph, options.images, options.count, options.classes)
    facts: ExportReport | None = None
    with contextlib.suppress(EdgesqError):
        facts = read_report(build)
    examples = report.examples
    others = tuple(note for note in examples.uncertain if note not in examples.misclassified)
    groups = (examples.differing[:_MAX_PICTURES], examples.misclassified, others)
    pictures = _pictures(groups, build, graph, images)
    cards = [[_card(note, report, images, pictures) for note in group] for group in groups]
    text = render(
        "edgesq.verify",
        "report.html.j2",
        report=report,
        model=facts.model.name if facts else "model",
        sizes=facts.sizes if facts else None,
        differing=cards[0],
        misclassified=cards[1],
        uncertain=cards[2],
        histograms=_histograms(report),
        confusion=_confusion(report),
        memory=planned(graph, facts),
        profile=_told(report),
    )
    write_output(path, text)


def _told(report: VerifyReport) -> tuple[OperatorProfile, ...] | None:
    """Return what every operator takes; None where that was not asked for, or the board is mute."""
    rows = report.profile
    return None if rows is None or any(row.ticks is None for row in rows) else rows


def _pictures(
    groups: Iterable[Sequence[Note]], build: Path, graph: Graph, images: VerifyImages
) -> dict[int, str]:
    preprocessing = Preprocessing()
    with contextlib.suppress(EdgesqError):
        preprocessing = read_preprocessing(build)
    inputs = images.pick(note.image for group in groups for note in group)
    tensor = graph.tensors[graph.input]

    def picture(image: Int8Array) -> str:
        return as_data_url(graph.split(image)[graph.input], tensor, preprocessing)

    return {number: picture(image) for number, image in inputs.items()}


def _card(note: Note, report: VerifyReport, images: VerifyImages, pictures: dict[int, str]) -> Card:
    def places(tops: tuple[tuple[int, float], ...]) -> tuple[Place, ...]:
        most = max((value for _, value in tops), default=0.0)
        return tuple(
            Place(
                report.output_name(place, tops),
                value,
                max(0.0, value / most) if most > 0 else 0.0,
                place == note.label,
            )
            for place, value in tops
        )

    return Card(
        note,
        pictures[note.image],
        images.names[note.image] if images.names else "",
        "" if note.label is None else report.classes.name_of(note.label),
        places(note.expected),
        places(note.got),
    )


def _histograms(report: VerifyReport) -> list[tuple[str, Picture]]:
    """Return title and chart for each output of each form; the first form decides."""
    return [
        (title, histogram(item.histogram, title, row is report.comparisons[0]))
        for row in report.comparisons
        for item in row.outputs
        for title in [f"{row.against}, {item.output}"]
    ]


def _confusion(report: VerifyReport) -> Confusion | None:
    """Return the matrix of classes, or the pairs confused most often; None without labels."""
    found, name_of = report.accuracy.confusion, report.classes.name_of
    if not found:
        return None
    classes = 1 + max(max(row[:2]) for row in found)
    if classes > _MAX_CLASSES:
        worst = report.accuracy.mistaken[:_MAX_PAIRS]
        return Confusion((), (), tuple((name_of(a), name_of(b), images) for a, b, images in worst))
    counts = {row[:2]: row[2] for row in found}
    rows = []
    for label in range(classes):
        row = [counts.get((label, said), 0) for said in range(classes)]
        rows.append(tuple((count, count / (sum(row) or 1)) for count in row))
    return Confusion(tuple(map(name_of, range(classes))), tuple(rows), ())
