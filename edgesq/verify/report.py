"""What `verify` found, and its JSON, which report.schema.json describes."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgesq.calibrate import Classes
from edgesq.errors import EdgesqError
from edgesq.files import read_json as read_json_file
from edgesq.files import write_output
from edgesq.limits import MAX_VALUES
from edgesq.typed import made
from edgesq.verify.layers import Layers
from edgesq.verify.profile import OperatorProfile
from edgesq.verify.tally import Note

SCHEMA_VERSION = 1
STATE = "resume"
"""Key that an incomplete report has besides: what `--resume` goes on from."""


@dataclass(frozen=True)
class OutputComparison:
    """One output of the board against the same of another form of the model.

    Attributes:
        output: "output", or "logits" that a softmax follows.
        values: compared.
        differing: of these, not equal; a float is rounded to the output's steps first.
        max_abs_lsb: largest difference in quantization steps.
        scale: reals per quantization step.
        rmse: root of the mean squared difference, in reals, without that rounding.
        cosine: of the angle between all values; None where one side is all zero.
        sqnr_db: power of the other's values over the difference's; None where there is none.
        histogram: pairs of a difference, board minus other, in steps, and values that have it.
    """

    output: str
    values: int
    differing: int
    max_abs_lsb: int
    scale: float
    rmse: float
    cosine: float | None
    sqnr_db: float | None
    histogram: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Comparison:
    """The board against one form of the model.

    Attributes:
        against: which form.
        note: what to know of it; why it is absent.
        top1_agreement: share of images of the same likeliest class (by the logits, where there are
            some), 0..1; None where the form is absent, or outputs are no classes.
        top5_agreement: share of images where its class is one of the board's five likeliest; None
            likewise, and where there are no more than five.
        outputs: one for each that the form gives; none where it is absent.
    """

    against: str
    note: str
    top1_agreement: float | None
    top5_agreement: float | None
    outputs: tuple[OutputComparison, ...]


@dataclass(frozen=True)
class BoardShare:
    """What one of several boards did of one set of images.

    Attributes:
        port: of the board.
        board: its own name; None where only an earlier session had it.
        images: that it computed.
        device_us: median microseconds per image in its engine, by its counter; None where it is
            not known.
        retries: how often something had to be sent again.
        resets: how often the board or the port came back and the session was begun again.
        state: "finished", "gone", "at work" when the report was written, or "earlier": not in the
            last session.
        error: why it is gone.
    """

    port: str
    board: str | None
    images: int
    device_us: float | None
    retries: int
    resets: int
    state: str
    error: str | None


@dataclass(frozen=True)
class VerifyReport:
    """Board against host, over all images streamed. The field names are the JSON's keys.

    Attributes:
        schema: version of this shape.
        complete: whether all images were streamed that should be.
        images: streamed and compared.
        images_planned: to be streamed in all.
        images_asked: by --count; None for all there are.
        images_from: file or folder.
        images_identity: changes where the images do.
        class_names: by label; empty where nobody says.
        classes_by: who says so, in words.
        no_accuracy: why no class is judged; None where it is.
        notes: what to know of classes and images.
        bit_exact_images: images with every observed value equal.
        values: compared, over all images: outputs, and logits where a softmax follows them.
        differing_values: of these, not equal.
        max_abs_lsb: largest difference in quantization steps.
        top1_agreement: share of images of the same likeliest class, 0..1; None without classes.
        top5_agreement: share of images where the expected class is one of the board's five
            likeliest; None where there are no more than five.
        accuracy: share of images that the board put into their class; None without labels.
        top5_accuracy: share whose class is one of the board's five likeliest; None without labels,
            or where there are no more than five.
        confusion: class, the board's class, images; where there are any.
        device_instructions: median per image; None where the board cannot count, or several share
            the images that are not alike.
        device_instructions_p95: 95 of 100 images take at most so many.
        device_us: median microseconds per image in the engine, by the board's counter; None where
            several boards share the images that are not alike. On an emulated board that is
            virtual time and says nothing about silicon.
        device_us_p95: 95 of 100 images take at most so long.
        device_stack_bytes: deepest use of the board's stack; None where it cannot tell.
        device_arena_bytes: bytes of the arena up to the last one ever written, read from the board;
            None where it cannot tell.
        arena_planned_bytes: of the arena, by the plan; None where the build does not say.
        link_bytes_per_s: both ways, from the first byte of an image to its last result.
        baud: bits per second of the line at the end.
        line_share: of the line's bytes at that rate, 8N1, how many carried image bytes. Above 1 on
            a line that has no rate, as a pty.
        seconds: from the first byte of an image to its last result, over all images.
        retries: how often something had to be sent again.
        resets: how often the board or the port came back and the session was begun again.
        expected_by: who computed the expected values.
        comparisons: the board against every form of the model, the one that decides first.
        differing: the first images that differ.
        misclassified: the first images that the board put into a wrong class.
        uncertain: the images whose two largest values are closest, the closest first.
        model_sha256: hex digest of the model that both ran.
        board: the board's own name; of several boards, all, as in the next three.
        kernels: kernel family of its firmware.
        build: compiler of its firmware, version and flags.
        core: its core by the CPUID register; None where it is no Cortex-M.
        clock_hz: its clock as its firmware says.
        warnings: what would make it faster.
        port: serial device; of several boards, all.
        layers: every operator's output compared; None where that was not asked for.
        operators: what every operator takes; None where that was not asked for.
        boards: what each did, where several share the images.
    """

    schema: int
    complete: bool
    images: int
    images_planned: int
    images_asked: int | None
    images_from: str
    images_identity: str
    class_names: tuple[str, ...]
    classes_by: str
    no_accuracy: str | None
    notes: tuple[str, ...]
    bit_exact_images: int
    values: int
    differing_values: int
    max_abs_lsb: int
    top1_agreement: float | None
    top5_agreement: float | None
    accuracy: float | None
    top5_accuracy: float | None
    confusion: tuple[tuple[int, int, int], ...]
    device_instructions: int | None
    device_instructions_p95: int | None
    device_us: float | None
    device_us_p95: float | None
    device_stack_bytes: int | None
    device_arena_bytes: int | None
    arena_planned_bytes: int | None
    link_bytes_per_s: float
    baud: int
    line_share: float
    seconds: float
    retries: int
    resets: int
    expected_by: str
    comparisons: tuple[Comparison, ...]
    differing: tuple[Note, ...]
    misclassified: tuple[Note, ...]
    uncertain: tuple[Note, ...]
    model_sha256: str
    board: str
    kernels: str
    build: str
    core: str | None
    clock_hz: int
    warnings: tuple[str, ...]
    port: str
    layers: Layers | None = None
    operators: tuple[OperatorProfile, ...] | None = None
    boards: tuple[BoardShare, ...] = ()

    @property
    def classes(self) -> Classes:
        """Which class has which number; none where nobody says."""
        return Classes(self.class_names, self.classes_by)

    def class_name(self, number: int) -> str:
        """Return the name of a class, or its number where nobody says."""
        names = self.class_names
        return names[number] if number < len(names) else str(number)

    def output_name(self, place: int, tops: Sequence[tuple[int, float]]) -> str:
        """Return what a place of the output means; one output is the probability of class 1."""
        return self.class_name(place if len(tops) > 1 or not self.class_names else 1)

    @property
    def is_exact(self) -> bool:
        """Whether every value of every image is equal."""
        return self.bit_exact_images == self.images

    @property
    def is_exact_inside(self) -> bool:
        """Whether every operator's output is equal, as far as they were compared."""
        return self.layers is None or self.layers.difference is None

    def to_json(self, state: dict[str, Any] | None = None) -> str:
        """Return the report as a JSON object; `state` is what an incomplete one goes on from."""
        more = {} if state is None else {STATE: state}
        return json.dumps({**asdict(self), **more}, indent=1) + "\n"

    def write_json(self, path: Path, state: dict[str, Any] | None = None) -> None:
        """Write `to_json` to `path`, whole or not at all."""
        write_output(path, self.to_json(state))


def read_json(path: Path) -> tuple[VerifyReport, dict[str, Any] | None]:
    """Return the report in a file, and what it goes on from where it is incomplete.

    Raises:
        EdgesqError: there is none, or it is damaged or of another version.
    """
    try:
        content = read_json_file(path)
        report = made(VerifyReport, content)
        if report.schema != SCHEMA_VERSION or not _is_consistent(report):
            raise ValueError
        state = content.get(STATE)
        return report, state if isinstance(state, dict) else None
    except (OSError, ValueError) as error:
        raise EdgesqError(
            "is no report of this version of verify", where=str(path), hint="leave --resume out"
        ) from error


def _is_consistent(report: VerifyReport) -> bool:
    """Say whether all images and classes that a report names can be there."""
    notes = (*report.differing, *report.misclassified, *report.uncertain)
    classes = (place for pair in report.confusion for place in pair[:2])
    return (
        0 <= report.images <= report.images_planned
        and all(0 <= note.image < report.images for note in notes)
        and all(0 <= place <= MAX_VALUES for place in classes)
    )
