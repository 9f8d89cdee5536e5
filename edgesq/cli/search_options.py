"""Options of `edgesq search`."""

from pathlib import Path
from typing import Annotated

import typer

from edgesq.cli.options import check_number
from edgesq.limits import MAX_COUNT

_MAX_TRIALS, _MAX_HOURS, _MAX_EPOCHS, _MAX_WORKERS = 100_000, 8_760.0, 1_000, 1_024

SearchData = Annotated[
    Path | None,
    typer.Argument(
        help="Folder with one folder per class, or .npz with `input` [n, H, W, C] and `labels`."
    ),
]
SearchTarget = Annotated[
    str | None, typer.Option("--target", help="Board; see `edgesq targets`. cortex-m if left out.")
]
SearchOut = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="STUDY",
        help="Folder of the study, build/search if left out; with --export of the build.",
    ),
]
FlashLimit = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_COUNT, help="Flash in bytes that the whole firmware may take."),
]
MsLimit = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        max=1e6,
        callback=check_number,
        help="Milliseconds per image at the board's clock, as estimated.",
    ),
]
Trials = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=_MAX_TRIALS,
        help="Candidates to train, all runs of the study together; 40 without --hours.",
    ),
]
Hours = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=_MAX_HOURS,
        callback=check_number,
        help="Hours after which no candidate is begun.",
    ),
]
SpaceFile = Annotated[
    Path | None,
    typer.Option(
        "--space",
        help="Python file with `build(trial) -> keras.Model` instead of SqueezeNet's "
        "metaparameters.",
    ),
]
Sides = Annotated[
    list[int] | None,
    typer.Option(
        "--side", help="Height and width of the input to choose; near the images' if left out."
    ),
]
Hold = Annotated[
    list[str] | None,
    typer.Option(
        "--hold",
        metavar="NAME=VALUE,...",
        help="Hold a metaparameter at a value, or choose it among these.",
    ),
]
Grid = Annotated[
    list[str] | None,
    typer.Option(
        "--grid",
        metavar="NAME=VALUE,...",
        help="Train a network of each value (of several --grid, of each combination), whole, "
        "with all else held still.",
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(min=1, max=_MAX_EPOCHS, help="Epochs of a training at most; 20 if left out."),
]
Mirror = Annotated[
    bool, typer.Option("--mirror", help="Mirror training images at random: not for digits.")
]
Seed = Annotated[
    int | None,
    typer.Option(
        min=0, max=MAX_COUNT - 1, help="Of choices, weights and images held out; 2016 if left out."
    ),
]
WorkerCount = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=_MAX_WORKERS,
        help="Trials at once; as many as CPUs, or the cluster, have room for if left out.",
    ),
]
Cpus = Annotated[int, typer.Option(min=1, max=_MAX_WORKERS, help="CPUs of a trial.")]
Gpus = Annotated[
    float,
    typer.Option(
        min=0.0, max=64.0, callback=check_number, help="GPUs of a trial, perhaps a part of one."
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Run trials on a Ray cluster: auto, or ray://HOST:PORT.",
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Optuna's storage, as postgresql://...; a file in STUDY if left out."
    ),
]
ResumeStudy = Annotated[
    bool, typer.Option("--resume", help="Go on with the study in STUDY: nothing finished is lost.")
]
ExportTrial = Annotated[
    tuple[Path, int] | None,
    typer.Option("--export", metavar="STUDY N", help="Write the build of a study's trial instead."),
]
