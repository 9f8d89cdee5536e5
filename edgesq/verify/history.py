"""What boards made of which images, kept in the build, wherever the reports went."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from edgesq.builds import VERIFIED
from edgesq.files import read_json, write_whole
from edgesq.records import Count, Part, Sha256, json_text, made
from edgesq.verify.report import VerifyReport

_MAX_RUNS = 50
"""Sets of images that are remembered, the last ones."""


@dataclass(frozen=True)
class Verified:
    """A complete run of verify. The field names are the file's keys.

    Attributes:
        model_sha256: of the .tflite.
        images_identity: changes where the images or their classes do.
        images: how many.
        accuracy: share of them that the board put into their class; None where it was not judged.
        top5_accuracy: share of them whose class is one of its five likeliest.
    """

    model_sha256: Sha256
    images_identity: str
    images: Count
    accuracy: Part | None
    top5_accuracy: Part | None

    @classmethod
    def of(cls, report: VerifyReport) -> "Verified":
        """Return what is remembered of a report."""
        return cls(
            report.run.model_sha256,
            report.run.images_identity,
            report.run.images,
            report.accuracy.top1,
            report.accuracy.top5,
        )


@dataclass(frozen=True)
class _Runs:
    runs: tuple[Verified, ...]


def remember(build: Path, report: VerifyReport) -> None:
    """Keep a complete run in the build, where that can be written."""
    now = Verified.of(report)
    others = [one for one in _runs(build) if not _is_same(one, now)]
    runs = _Runs((*others, now)[-_MAX_RUNS:])
    with contextlib.suppress(OSError):
        write_whole(build / VERIFIED, json_text(runs))


def recall(build: Path, model_sha256: str, images_identity: str, images: int) -> Verified | None:
    """Return the last run of these images with this model; None where there was none."""
    asked = Verified(model_sha256, images_identity, images, None, None)
    return next((one for one in _runs(build) if _is_same(one, asked)), None)


def _is_same(one: Verified, other: Verified) -> bool:
    return (one.model_sha256, one.images_identity, one.images) == (
        other.model_sha256,
        other.images_identity,
        other.images,
    )


def _runs(build: Path) -> list[Verified]:
    """Read what is remembered; nothing of a file that is damaged."""
    with contextlib.suppress(OSError, ValueError):
        return list(made(_Runs, read_json(build / VERIFIED)).runs)
    return []
