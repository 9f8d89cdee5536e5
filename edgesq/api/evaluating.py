"""Judge every form of a model on labelled images, a board's too."""

from collections.abc import Sequence
from pathlib import Path

from edgesq.accuracy import AccuracyReport, evaluate
from edgesq.api.given import ClassNames, StrPath, classes_of, within
from edgesq.api.progress import OnProgress, counted
from edgesq.extras import require
from edgesq.limits import MAX_COUNT
from edgesq.link.labgrid import held
from edgesq.verify import Verified, VerifyOptions, verify


def evaluated(
    folder: Path,
    ports: Sequence[str],
    images: StrPath,
    count: int | None,
    *,
    classes: ClassNames | None,
    on_progress: OnProgress | None,
) -> AccuracyReport:
    """Judge the model of a build; the arguments are those of `Build.evaluate`.

    Raises:
        EdgesqError: as there.
    """
    require("onnx", "onnxruntime")
    within(count, 1, MAX_COUNT, "count")
    declared, source = classes_of(classes), Path(images)
    device = None
    if ports:
        options = VerifyOptions(folder, tuple(ports), source, count, declared)
        with held(ports):
            device = Verified.of(verify(options, counted(on_progress, "verify")))
    tell = counted(on_progress, "evaluate")
    return evaluate(folder, source, count, device, tell, declared)
