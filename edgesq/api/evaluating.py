"""Judge every form of a model on labelled images, a board's too."""

from collections.abc import Sequence
from pathlib import Path

from edgesq.accuracy import AccuracyReport, check_is_classifier, evaluate
from edgesq.api.given import ClassNames, StrPath, check_count, classes_of, several
from edgesq.api.progress import OnProgress, counted
from edgesq.extras import require
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
    check_count(count, "count")
    declared, source = classes_of(classes), Path(images)
    device, named = None, several(ports, "ports")
    if named:
        check_is_classifier(folder)
        options = VerifyOptions(folder, named, source, count, declared)
        with held(named):
            device = Verified.of(verify(options, counted(on_progress, "verify")))
    tell = counted(on_progress, "evaluate")
    return evaluate(folder, source, count, device, tell, declared)
