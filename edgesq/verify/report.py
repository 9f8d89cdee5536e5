"""What `verify` found. The field names are the JSON's keys; `edgesq schema verify` prints them."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from edgesq.calibrate import Classes
from edgesq.errors import EdgesqError
from edgesq.files import read_json as read_json_file
from edgesq.files import write_output
from edgesq.markup import Table, lines, shown_html
from edgesq.project import Sizes
from edgesq.records import json_text, made
from edgesq.verify import tables
from edgesq.verify.facts import (
    FLOAT_FORM,
    AccuracyFacts,
    BoardShare,
    Comparison,
    DeviceFacts,
    ExampleFacts,
    LinkFacts,
    ResultFacts,
    RunFacts,
)
from edgesq.verify.layers import Layers
from edgesq.verify.profile import OperatorProfile
from edgesq.verify.tally import Tally
from edgesq.verify.thresholds import (
    OF_IMAGES,
    Threshold,
    ThresholdResult,
    judge,
    read_thresholds,
)

SCHEMA_VERSION = 3


@dataclass(frozen=True, kw_only=True, repr=False)
class VerifyReport:
    """A board against the host, over all images streamed.

    Attributes:
        schema: version of this shape.
        run: which images of which model were streamed.
        result: the board against whoever decides.
        accuracy: how often the board was right.
        classes: which class has which number; empty where nobody says.
        device: the board, and what an image takes on it.
        link: the line to the board.
        comparisons: the board against every form of the model, the one that decides first.
        examples: images worth a look.
        layers: every operator's output compared; None where that was not asked for.
        profile: what every operator takes; None where that was not asked for.
        boards: what each did, where several share the images.
        notes: what to know of classes and images.
        warnings: what would make the board faster.
        sizes: of the whole image by the linker; None where the build does not say.
        thresholds: what became of those that were asked for.
        resume: what `edgesq verify --resume` goes on from, where the run is not complete.
    """

    schema: int = SCHEMA_VERSION
    run: RunFacts
    result: ResultFacts
    accuracy: AccuracyFacts
    classes: Classes
    device: DeviceFacts
    link: LinkFacts
    comparisons: tuple[Comparison, ...]
    examples: ExampleFacts
    layers: Layers | None = None
    profile: tuple[OperatorProfile, ...] | None = None
    boards: tuple[BoardShare, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sizes: Sizes | None = None
    thresholds: tuple[ThresholdResult, ...] = ()
    resume: Tally | None = None

    def __repr__(self) -> str:
        run, result = self.run, self.result
        right = "" if self.accuracy.top1 is None else f", accuracy {self.accuracy.top1:.1%}"
        violated = sum(one.violated for one in self.thresholds)
        beyond = f", thresholds violated: {violated}" if violated else ""
        return (
            f"VerifyReport({run.images:,} images on {self.device.title}: "
            f"{result.differing_values:,} of {result.values:,} values differ{right}{beyond})"
        )

    def _repr_html_(self) -> str:
        layers, operators = self.layers, self.profile
        differs = layers is not None and layers.difference is not None
        return shown_html(
            *self.tables,
            tables.difference(layers) if layers is not None and differs else None,
            tables.profile(operators) if operators is not None else None,
            tables.thresholds(self.thresholds) if self.thresholds else None,
        ) + lines((*self.notes, *self.warnings))

    @property
    def tables(self) -> tuple[Table, ...]:
        """What was found in all images, as tables."""
        is_shared = bool(self.boards)
        device, timed = self.device, any(row.device_us is not None for row in self.boards)
        differs = device.us is None and device.instructions is None and timed
        parts = self.run, self.result, self.accuracy, self.device, self.link
        found = (
            tables.summary(*parts, differs=differs),
            tables.comparisons(self.comparisons),
            tables.boards(self.boards) if is_shared else None,
            tables.confusion(self.accuracy, self.classes),
        )
        return tuple(table for table in found if table is not None)

    def output_name(self, place: int, tops: Sequence[tuple[int, float]]) -> str:
        """Return what a place of the output means; one output is the probability of class 1."""
        return self.classes.name_of(place if len(tops) > 1 or not self.classes.names else 1)

    @property
    def equal(self) -> bool:
        """Whether all that was compared is equal: every value, and every operator if asked for."""
        return self.is_exact and self.is_exact_inside

    @property
    def passed(self) -> bool:
        """Whether all that was compared is equal, and no threshold is violated."""
        return self.equal and not any(one.violated for one in self.thresholds)

    @property
    def metrics(self) -> dict[str, float | None]:
        """The figures that thresholds are about, by their names; None where it does not say."""
        device, sizes = self.device, self.sizes
        floats = (row.top1_agreement for row in self.comparisons if row.against == FLOAT_FORM)
        shares = {
            "accuracy": self.accuracy.top1,
            "top5": self.accuracy.top5,
            "agreement": next(floats, None),
        }
        return {
            "instructions": device.instructions,
            "cycles": device.cycles,
            "us": device.us,
            "ram": None if sizes is None else sizes.ram_bytes,
            "flash": None if sizes is None else sizes.flash_bytes,
            "arena": device.arena_planned_bytes,
            "stack": device.stack_bytes,
            **{name: None if one is None else 100 * one for name, one in shares.items()},
        }

    def check(
        self, fail_if: Sequence[str], baseline: "VerifyReport | str | Path | None" = None
    ) -> tuple[ThresholdResult, ...]:
        """Return the thresholds that this run violates; none where all hold.

        Args:
            fail_if: such as "instructions>+1%", "ram>65536" or "accuracy<-0.5"; all are in
                `edgesq.verify.thresholds`.
            baseline: the report, or the file `verify` wrote it to, that changes, which have a
                sign, are measured from.

        Raises:
            EdgesqError: an expression or the file cannot be read, a figure is not known, or the
                baseline is of another board or number of images.
        """
        if isinstance(baseline, str | Path):
            baseline = read_json(Path(baseline), "give a file that `verify` wrote")
        found = self.judged(read_thresholds(fail_if), baseline).thresholds
        return tuple(one for one in found if one.violated)

    def judged(
        self, thresholds: Sequence[Threshold], baseline: "VerifyReport | None"
    ) -> "VerifyReport":
        """Return this report with what becomes of thresholds; see `check`."""
        changes = {one.metric for one in thresholds if one.change is not None}
        notes, before = self.notes, None if baseline is None else baseline.metrics
        if baseline is not None and changes:
            _check_comparable(self, baseline, changes)
            compilers = baseline.device.build, self.device.build
            if baseline.run.model_sha256 != self.run.model_sha256:
                notes = (*notes, "the baseline is of another model")
            if len(set(compilers)) > 1:
                notes = (*notes, "the baseline was compiled by {}, this by {}".format(*compilers))
        return replace(self, notes=notes, thresholds=judge(thresholds, self.metrics, before))

    @property
    def is_exact(self) -> bool:
        """Whether every value of every image is equal."""
        return self.result.exact_images == self.run.images

    @property
    def is_exact_inside(self) -> bool:
        """Whether every operator's output is equal, as far as they were compared."""
        return self.layers is None or self.layers.difference is None

    def write_json(self, path: Path) -> None:
        """Write the report to `path`, whole or not at all."""
        write_output(path, json_text(self))


def _check_comparable(now: VerifyReport, before: VerifyReport, metrics: Set[str]) -> None:
    """Hold that a baseline is of the same board, and of as many images where that matters.

    Raises:
        EdgesqError: it is not.
    """
    images = before.run.images
    same = {
        "board": before.device.board == now.device.board,
        "number of images": images == now.run.images,
    }
    what = "board" if metrics.isdisjoint(OF_IMAGES) else "number of images"
    for name in dict.fromkeys(("board", what)):
        if not same[name]:
            raise EdgesqError(
                f"the baseline is of another {name}: {images:,} images on {before.device.title}, "
                f"now {now.run.images:,} on {now.device.title}",
                where=f"--fail-if {', '.join(sorted(metrics))}",
                hint="make a baseline of the same",
            )


def read_json(path: Path, hint: str = "leave --resume out") -> VerifyReport:
    """Return the report in a file.

    Args:
        path: the file.
        hint: what to try where it is none.

    Raises:
        EdgesqError: there is none, or it is damaged or of another version.
    """
    try:
        content = read_json_file(path)
        if isinstance(content, dict) and content.get("schema") != SCHEMA_VERSION:
            raise ValueError("another version of edgesq wrote it")
        report = made(VerifyReport, content)
        _check(report)
        return report
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise EdgesqError(
            f"is no report of this version of verify: {why}",
            where=str(path),
            hint=hint,
        ) from error


def _check(report: VerifyReport) -> None:
    """Hold that all images that a report names can be there.

    Raises:
        ValueError: they cannot.
    """
    run, examples = report.run, report.examples
    notes = (*examples.differing, *examples.misclassified, *examples.uncertain)
    if run.images > run.planned or any(note.image >= run.images for note in notes):
        raise ValueError("it names more images than it has")
