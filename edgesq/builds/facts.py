"""What `report.json` of a build folder says, as records: the field names are the JSON's keys."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from edgesq.builds.operators import Operator
from edgesq.builds.parity import ParityRow
from edgesq.calibrate import AuditRow, Classes, Preprocessing, Shown
from edgesq.choices import Goal, Layout
from edgesq.limits import MAX_EXTENT
from edgesq.plan import Bands, Candidate, Fusion
from edgesq.project import Estimate, Sizes
from edgesq.records import Count
from edgesq.repair.trial import Trial

SCHEMA_VERSION = 2
"""Version of the shape; commands read no other."""

Rows = Annotated[int, Meta(ge=1, le=MAX_EXTENT)]


@dataclass(frozen=True)
class ModelFacts:
    """The int8 model.

    Attributes:
        name: of its file.
        c_name: what its C names begin with.
        sha256: hex digest of the .tflite.
        input: height, width, channels.
        macs: multiply-accumulates per image.
        weights_bytes: of weights and biases as int8 and int32.
    """

    name: str
    c_name: str
    sha256: str
    input: tuple[int, int, int]
    macs: Count
    weights_bytes: Count


@dataclass(frozen=True)
class BandFacts:
    """Rows that operators compute per step; one where none are named.

    Attributes:
        by_height: of operators by the height of their output.
        by_output: of single operators by the slot that they write.
        fused: operators that run as one.
        whole: slots that are complete before anything reads them.
    """

    by_height: dict[Rows, Rows]
    by_output: dict[Count, Rows]
    fused: tuple[Fusion, ...] = ()
    whole: tuple[Count, ...] = ()

    @classmethod
    def of(cls, bands: Bands) -> "BandFacts":
        """Return what a report says of bands."""
        return cls(
            dict(bands.by_height),
            dict(bands.by_output),
            tuple(sorted(bands.fused or ())),
            tuple(sorted(bands.whole or ())),
        )

    @property
    def bands(self) -> Bands:
        """The bands again."""
        return Bands(
            by_height=self.by_height,
            by_output=self.by_output,
            fused=frozenset(self.fused),
            whole=frozenset(self.whole),
        )


@dataclass(frozen=True)
class PlanFacts:
    """What the planner chose; the same plan is made of it again.

    Attributes:
        bands: rows per step of operators.
        growth_bytes: most bytes by which packed weights may exceed the model's own; None for the
            usual part of them.
        coded: outputs of the convolutions whose weights are decoded, tensors of the graph.
        limit_bytes: most bytes that the arena was allowed; decoded weights fill so many. None for
            no limit.
        in_ram: operators, by their place in the runtime's table, whose weights and tables start-up
            copies to RAM.
    """

    bands: BandFacts
    growth_bytes: Count | None
    coded: tuple[Count, ...]
    limit_bytes: Count | None
    in_ram: tuple[Count, ...] = ()

    @classmethod
    def of(cls, chosen: Candidate) -> "PlanFacts":
        """Return what a report says of a plan."""
        request = chosen.request
        return cls(
            BandFacts.of(chosen.bands),
            request.growth_bytes,
            tuple(sorted(request.coded)),
            request.limit_bytes,
            tuple(sorted(chosen.plan.in_ram)),
        )


@dataclass(frozen=True)
class FirmwareFacts:
    """The firmware that is laid out for a board.

    Attributes:
        target: the board.
        kernels: kernel family; "tflm" where TensorFlow Lite Micro computes.
        arena_bytes: of RAM for activations.
        plan: None where the runtime plans for itself.
        operators: the runtime's table; empty where TensorFlow Lite Micro has its own.
        tflm_used_arena_bytes: of the arena, by TensorFlow Lite Micro on this computer; None where
            edgesq's runtime computes.
        estimated: what an image takes on the board; None where the runtime plans for itself.
    """

    target: str
    kernels: str
    arena_bytes: Count
    plan: PlanFacts | None = None
    operators: tuple[Operator, ...] = ()
    tflm_used_arena_bytes: Count | None = None
    estimated: Estimate | None = None


@dataclass(frozen=True)
class RequestFacts:
    """What the user asked for; a change of target asks for the same.

    Attributes:
        layout: the ecosystem that gets a library beside the firmware project.
        optimize: what the plan is best at.
        ram_limit: RAM in bytes to plan for; None for the target's.
        tflm_dir: TensorFlow Lite Micro's tree; None where it was not given.
        kernels: kernel family; None for the target's.
    """

    layout: Layout
    optimize: Goal
    ram_limit: Count | None
    tflm_dir: str | None
    kernels: str | None = None


@dataclass(frozen=True)
class CalibrationFacts:
    """The images that the model was quantized with.

    Attributes:
        preprocessing: from pixels to the model's input.
        declared_preprocessing: by the images' manifest, where the model's first layer does what is
            missing in `preprocessing`; None where nothing is.
        classes: which class has which number; None where nobody says.
        audit: what was found wrong or right with the images; empty where none were used.
        shown: what is on the sheet of some of them; empty without one.
    """

    preprocessing: Preprocessing
    declared_preprocessing: Preprocessing | None
    classes: Classes | None
    audit: tuple[AuditRow, ...]
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class ParityFacts:
    """Every form of the model against TensorFlow Lite's reference kernels.

    Attributes:
        images: which were compared, in words.
        rows: one for each form.
    """

    images: str
    rows: tuple[ParityRow, ...]


@dataclass(frozen=True)
class AccuracyFacts:
    """What `--optimize-accuracy` tried.

    Attributes:
        seconds: after which no further recipe was begun.
        recipe: that was taken, in words.
        trials: in their order.
    """

    seconds: float
    recipe: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class SizePoint:
    """One size with what the model loses there.

    Attributes:
        image_bytes: of the whole image.
        weights_bytes: of the streams.
        bits_per_weight: on average.
        kl: divergence from the float model, nats.
        agreement: share of images with the float model's class.
        drop: points of top-1 expected to be lost.
        images: fitted to for this figure; 0 for the int8 model.
        drop_low, drop_high: of ten other sets of as many images, nine would give a drop between
            them; None in a report from before they were made.
    """

    image_bytes: Count
    weights_bytes: Count
    bits_per_weight: float
    kl: float
    agreement: float
    drop: float
    images: Count
    drop_low: float | None = None
    drop_high: float | None = None

    @property
    def drop_range(self) -> str:
        """Between which points of top-1 the drop is, in words; empty where that is not known."""
        if self.drop_low is None or self.drop_high is None:
            return ""
        return f"{self.drop_low:.1f} to {self.drop_high:.1f}"


@dataclass(frozen=True)
class LayerSize:
    """What compression made of one layer.

    Attributes:
        name: of the layer.
        weights: how many.
        bytes: of their stream.
        bits_per_weight: on average.
        zeros: share of the weights that are 0.
        log2_lambda: logarithm of the price of a bit in loss, by which its weights were chosen.
    """

    name: str
    weights: Count
    bytes: Count
    bits_per_weight: float
    zeros: float
    log2_lambda: float


@dataclass(frozen=True)
class CompressionFacts:
    """What `--compress` came to.

    Attributes:
        goal_bytes: the largest image that was allowed.
        plain_bytes: what the image takes with weights as they were.
        chosen: the size taken; None where nothing had to be compressed.
        held_out: images that the losses were measured on.
        curve: sizes that were looked at, the smallest first; the last one is int8.
        layers: in the order of the model.
    """

    goal_bytes: Count
    plain_bytes: Count
    chosen: SizePoint | None = None
    held_out: Count = 0
    curve: tuple[SizePoint, ...] = ()
    layers: tuple[LayerSize, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """A build folder.

    Attributes:
        schema: version of this shape.
        model: the int8 model.
        firmware: for which board, and what its runtime was told.
        sizes: of the whole image by the linker; None where it was not compiled.
        request: what the user asked for.
        calibration: the images that the model was quantized with.
        verify_images: what `verify` streams, in words.
        parity: every form of the model against the reference.
        notes: what the import of another format decided.
        warnings: what the user should know.
        accuracy: what `--optimize-accuracy` tried; None without it.
        compression: what `--compress` came to; None without it.
        files: sha256 in hex by path below the folder.
        versions: of Python and the libraries that the numbers come from.
    """

    schema: int = SCHEMA_VERSION
    model: ModelFacts
    firmware: FirmwareFacts
    sizes: Sizes | None
    request: RequestFacts
    calibration: CalibrationFacts
    verify_images: str
    parity: ParityFacts
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    accuracy: AccuracyFacts | None = None
    compression: CompressionFacts | None = None
    files: dict[str, str]
    versions: dict[str, str]

    @property
    def classes(self) -> Classes:
        """Which class has which number; none where nobody says."""
        return self.calibration.classes or Classes()
