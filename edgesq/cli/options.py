"""Options that commands share, and those of commands with many."""

import math
from pathlib import Path
from typing import Annotated

import typer

from edgesq.choices import Activations, Fit, Goal
from edgesq.limits import MAX_ACCURACY_S, MAX_COUNT, TIMEOUTS_S


def check_number(value: float | None) -> float | None:
    """Refuse what is no number."""
    if value is not None and math.isnan(value):  # which no range keeps out
        raise typer.BadParameter("nan is not a number")
    return value


Model = Annotated[
    Path | None,
    typer.Argument(
        help=".keras, .h5, SavedModel folder, .onnx or .tflite; the bundled demo model if left out."
    ),
]
Optimize = Annotated[Goal, typer.Option(help="What the plan is best at.")]
RamLimit = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_COUNT, help="RAM in bytes to plan for instead of the board's."),
]
Kernels = Annotated[
    str | None,
    typer.Option(
        metavar="FAMILY",
        help="Other kernels than the board's, as `portable`, where its core runs them.",
    ),
]
TflmDir = Annotated[
    Path | None, typer.Option(help="TensorFlow Lite Micro's tree, its library built.")
]
OptimizeAccuracy = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=MAX_ACCURACY_S,
        callback=check_number,
        metavar="[SECONDS]",
        help="Look so long (120) for an int8 model closer to the float one.",
    ),
]
Compress = Annotated[
    str | None,
    typer.Option(
        metavar="[SIZE]",
        help="Compress the weights until the whole firmware takes SIZE bytes (512000, 500K), "
        "or the board's flash if left out.",
    ),
]
MaxDrop = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=100.0,
        callback=check_number,
        help="Points of top-1 that compressing may lose, as predicted.",
    ),
]
Json = Annotated[
    Path | None, typer.Option(help="Write what is shown as JSON; - for standard output alone.")
]
ClassFile = Annotated[
    Path | None,
    typer.Option(
        "--classes",
        help='Class names in the model\'s order: a file of one a line, or JSON {"name": number}; '
        "class folders sorted as text if left out.",
    ),
]
Calibration = Annotated[
    Path | None, typer.Option(help="Folder of images to quantize with, or .npz.")
]
FitOption = Annotated[
    Fit | None,
    typer.Option(
        "--fit", help="How images of other proportions get the model's; stretched if left out."
    ),
]
ActivationsOption = Annotated[
    Activations,
    typer.Option("--activations", help="What the activations of a float model become."),
]
ImagesOption = Annotated[
    Path | None,
    typer.Option("--images", help="Folder of images, or .npz with `input` [n, H, W, C]."),
]
Count = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_COUNT, help="Images at most, as many of each class as there are."),
]
Build = Annotated[Path, typer.Option("--build", help="Folder that `export` wrote.")]


Ports = Annotated[
    list[str] | None,
    typer.Option(
        "--port",
        help="Serial device, URL, labgrid://PLACE; found if left out; several share the images.",
    ),
]
VerifyJson = Annotated[
    Path | None, typer.Option(help="Report to write; BUILD/verify.json if left out.")
]
Junit = Annotated[Path | None, typer.Option(help="JUnit XML to write, for CI.")]
Html = Annotated[Path | None, typer.Option(help="Page with pictures to write.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the report of a run that was ended.")
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--sequence",
        min=1,
        help="Images of a sequence, of a model that keeps state: a reset before each so many.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        min=TIMEOUTS_S[0],
        max=TIMEOUTS_S[1],
        callback=check_number,
        help="Seconds of silence after which the board is given up.",
    ),
]
Layers = Annotated[
    bool, typer.Option("--layers", help="Compare every operator too; name the first wrong one.")
]
Profile = Annotated[
    bool, typer.Option("--profile", help="Show what every operator takes on the board.")
]
FailIf = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METRIC>LIMIT",
        help='Exit with 1 if so: "instructions>+1%", "ram>+512", "accuracy<-0.5" against the '
        'baseline, "flash>512K" by itself.',
    ),
]
Baseline = Annotated[
    Path | None, typer.Option(help="Earlier report that limits with a sign are changes of.")
]
Baud = Annotated[
    str,
    typer.Option(
        metavar="N|auto", help="Rate to go to where both sides hold it; auto: the fastest."
    ),
]
