"""The parts of a report of `verify`. The field names are the JSON's keys."""

from dataclasses import dataclass

from edgesq.project import Time
from edgesq.records import Count, Lsb, Part, Positive, Sha256
from edgesq.verify.tally import Note, Place

FLOAT_FORM = "float model"
"""What the float form of a model is called in comparisons."""


@dataclass(frozen=True)
class OutputComparison:
    """One output of the board against the same of another form of the model.

    Attributes:
        output: "output", or "logits" that a softmax follows; "output0" and so on of several, in the
            model's order.
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
    values: Count
    differing: Count
    max_abs_lsb: Lsb
    scale: Positive
    rmse: Positive
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
    top1_agreement: Part | None
    top5_agreement: Part | None
    outputs: tuple[OutputComparison, ...]


@dataclass(frozen=True)
class BoardShare:
    """What one of several boards did of one set of images.

    Attributes:
        port: of the board.
        board: its own name; None where only an earlier session had it.
        images: that it computed.
        device_us: median microseconds per image in its engine, by its counter; None where it is
            not known, and on an emulated board.
        retries: how often something had to be sent again.
        resets: how often the board or the port came back and the session was begun again.
        state: "finished", "gone", "at work" when the report was written, or "earlier": not in the
            last session.
        error: why it is gone.
    """

    port: str
    board: str | None
    images: Count
    device_us: Positive | None
    retries: Count
    resets: Count
    state: str
    error: str | None


@dataclass(frozen=True)
class RunFacts:
    """Which images of which model were streamed.

    Attributes:
        complete: whether all images were streamed that should be.
        images: streamed and compared.
        planned: to be streamed in all.
        asked: by --count; None for all there are.
        images_from: file or folder.
        images_identity: changes where the images or their classes do.
        model_sha256: of the .tflite that board and host ran.
        expected_by: who computed the expected values.
        seconds: from the first byte of an image to its last result, over all images.
        sequence: images of a sequence, where the model keeps state from image to image: it was
            reset before each so many, counted from where the run began; None where it keeps none.
    """

    complete: bool
    images: Count
    planned: Count
    asked: Count | None
    images_from: str
    images_identity: str
    model_sha256: Sha256
    expected_by: str
    seconds: Positive
    sequence: Count | None = None


@dataclass(frozen=True)
class ResultFacts:
    """The board against whoever decides.

    Attributes:
        exact_images: images with every observed value equal.
        values: compared, over all images: outputs, and logits where a softmax follows them.
        differing_values: of these, not equal.
        max_abs_lsb: largest difference in quantization steps.
        top1_agreement: share of images of the same likeliest class; None without classes.
        top5_agreement: share of images where the expected class is one of the board's five
            likeliest; None where there are no more than five.
    """

    exact_images: Count
    values: Count
    differing_values: Count
    max_abs_lsb: Lsb
    top1_agreement: Part | None
    top5_agreement: Part | None


@dataclass(frozen=True)
class AccuracyFacts:
    """How often the board was right.

    Attributes:
        top1: share of images that the board put into their class; None without labels.
        top5: share whose class is one of the board's five likeliest; None without labels, or where
            there are no more than five.
        why_not: why no class is judged; None where it is.
        confusion: class, the board's class, images; where there are any.
    """

    top1: Part | None
    top5: Part | None
    why_not: str | None
    confusion: tuple[tuple[Place, Place, Count], ...]

    @property
    def mistaken(self) -> list[tuple[int, int, int]]:
        """Class, another that the board said, and images, the most frequent first."""
        wrong = (row for row in self.confusion if row[0] != row[1])
        return sorted(wrong, key=lambda row: -row[2])


@dataclass(frozen=True)
class DeviceFacts:
    """The board, and what an image takes on it. Of several boards, words are those of all.

    Attributes:
        board: its own name; empty where its firmware's build does not say.
        kernels: kernel family of its firmware.
        build: compiler of its firmware, version, and flags where the build says them.
        core: its core by the register that names it; None where it has none.
        clock_hz: its clock as its firmware says; 0 where its build does not.
        instructions: median per image; None where the board cannot count, or several share the
            images that are not alike.
        instructions_p95: 95 of 100 images take at most so many.
        us: median microseconds per image in the engine, by the board's counter; None where several
            boards share the images that are not alike, and on an emulated board, which takes no
            time of its own.
        us_p95: 95 of 100 images take at most so long.
        stack_bytes: deepest use of the board's stack; None where it cannot tell.
        arena_bytes: bytes of the arena up to the last one ever written, read from the board; None
            where it cannot tell.
        arena_planned_bytes: of the arena, by the plan; None where the build does not say.
        estimated: what those instructions would take at the board's clock, on paper; None where
            the board told its time, or nothing is known of the core.
        cycles: of the core's clock, median per image; None where the board counts something else.
        cycles_p95: 95 of 100 images take at most so many.
    """

    board: str
    kernels: str
    build: str
    core: str | None
    clock_hz: Count
    instructions: Count | None
    instructions_p95: Count | None
    us: Positive | None
    us_p95: Positive | None
    stack_bytes: Count | None
    arena_bytes: Count | None
    arena_planned_bytes: Count | None
    estimated: Time | None = None
    cycles: Count | None = None
    cycles_p95: Count | None = None

    @property
    def title(self) -> str:
        """The board's name in a sentence, also where it has none."""
        return self.board or "the board"

    @property
    def core_at_clock(self) -> str | None:
        """Core, and clock where that is known; None where the core is not."""
        if self.core is None or not self.clock_hz:
            return self.core
        return f"{self.core} at {self.clock_hz / 1e6:g} MHz"


@dataclass(frozen=True)
class ExampleFacts:
    """Images worth a look.

    Attributes:
        differing: the first images that differ.
        misclassified: the first images that the board put into a wrong class.
        uncertain: the images whose two largest values are closest, the closest first.
    """

    differing: tuple[Note, ...]
    misclassified: tuple[Note, ...]
    uncertain: tuple[Note, ...]


@dataclass(frozen=True)
class RateFacts:
    """A rate that was tried.

    Attributes:
        port: whose line.
        baud: bits per second.
        outcome: "held", or by whom it is not: "computer", "board" or "line".
    """

    port: str
    baud: Count
    outcome: str


@dataclass(frozen=True)
class PaceFacts:
    """Where the time of a run went. Line and board can work at once: shares may exceed 1 together.

    Attributes:
        image_bytes_per_s: bytes of images, from the first one to the last result, over all boards.
        bound: what took the largest share: "line", "board" or "computer"; None without images.
        line: share of the time in which the line carried bytes to the board, 8N1; None where it
            has no rate, as that of an emulated board.
        board: share in which boards computed, by their counters; of an emulated board, in which it
            was waited for. None where it is not known.
        computer: share in which this computer did something else than wait for line and board.
        why: the same in words.
        rates: that were tried, in their order; none where only the default rate was wanted.
    """

    image_bytes_per_s: Positive
    bound: str | None
    line: Part | None
    board: Part | None
    computer: Part
    why: str
    rates: tuple[RateFacts, ...]


@dataclass(frozen=True)
class LinkFacts:
    """The line to the board.

    Attributes:
        port: serial device; of several boards, all.
        bytes_per_s: both ways, from the first byte of an image to its last result.
        baud: bits per second of the line at the end.
        line_share: image bytes for each byte that the line carries at that rate, 8N1. Above 1 where
            rows go coded, or the line has no rate, as a pty.
        sent_share: likewise, bytes sent on the wire. Above 1 where the line has no rate.
        image_bytes: of all images, before they are coded.
        sent_bytes: on the wire, to the boards.
        retries: how often something had to be sent again.
        resets: how often the board or the port came back and the session was begun again.
        pace: where the time went.
    """

    port: str
    bytes_per_s: Positive
    baud: Count
    line_share: Positive
    sent_share: Positive
    image_bytes: Count
    sent_bytes: Count
    retries: Count
    resets: Count
    pace: PaceFacts
