"""The commands and their options; each one's work is in a module of its own name."""

import math
from pathlib import Path
from typing import Annotated

import typer

import edgesq
from edgesq.choices import Goal, Layout
from edgesq.cli import terminal
from edgesq.cli.choices import Document, Fit, Runtime
from edgesq.cli.sizes import SizesMayBeLeftOut
from edgesq.cli.terminal import DEFAULT_BUILD

app = typer.Typer(
    name="edgesq",
    help="Put small int8 image networks on microcontrollers and prove that they work there.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

MAX_BYTES = 1 << 32
"""Of a count or a size that an option takes."""


def _check_number(value: float | None) -> float | None:
    if value is not None and math.isnan(value):  # which no range keeps out
        raise typer.BadParameter("nan is not a number")
    return value


MODEL_KINDS = (
    ".keras, .h5, SavedModel folder, .onnx or int8 .tflite; the bundled demo model if left out."
)
Optimize = Annotated[Goal, typer.Option(help="What the plan is best at.")]
RamLimit = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_BYTES, help="RAM in bytes to plan for instead of the board's."),
]
TflmDir = Annotated[
    Path | None, typer.Option(help="TensorFlow Lite Micro's tree, its library built.")
]
OptimizeAccuracy = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=86_400,
        callback=_check_number,
        metavar="[SECONDS]",
        help="Look so long (120) for an int8 model closer to the float one.",
    ),
]
Compress = Annotated[
    str | None,
    typer.Option(
        metavar="[SIZE]",
        help="Compress the weights until the whole image takes SIZE bytes (512000, 500K), "
        "or the board's flash if left out.",
    ),
]
MaxDrop = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=100.0,
        callback=_check_number,
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
Calibration = Annotated[Path | None, typer.Option(help="Folder of images to quantize with.")]
FitOption = Annotated[
    Fit | None,
    typer.Option(
        "--fit", help="How images of other proportions get the model's; stretched if left out."
    ),
]
ImagesOption = Annotated[
    Path | None,
    typer.Option("--images", help="Folder of images, or .npz with `input` [n, H, W, C]."),
]
Count = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_BYTES, help="Images at most, as many of each class as there are."),
]
Build = Annotated[Path, typer.Option("--build", help="Folder that `export` wrote.")]


@app.command(cls=SizesMayBeLeftOut)
@terminal.command
def export(
    model: Annotated[
        Path | None,
        typer.Argument(help=MODEL_KINDS),
    ] = None,
    target: Annotated[str, typer.Option(help="Board; see `edgesq targets`.")] = "cortex-m",
    calibration: Calibration = None,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = DEFAULT_BUILD,
    layout: Annotated[
        Layout, typer.Option("--format", help="What to lay out beside the firmware project.")
    ] = Layout.CMAKE,
    name: Annotated[
        str | None,
        typer.Option(help="What the model's C names begin with; its file's if left out."),
    ] = None,
    optimize: Optimize = Goal.BALANCED,
    ram_limit: RamLimit = None,
    classes: ClassFile = None,
    fit: FitOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse calibration images that look wrong.")
    ] = False,
    runtime: Annotated[Runtime, typer.Option(help="What computes on the board.")] = Runtime.EDGESQ,
    tflm_dir: TflmDir = None,
    optimize_accuracy: OptimizeAccuracy = None,
    compress: Compress = None,
    max_drop: MaxDrop = 2.0,
) -> None:
    """Quantize a model and write every format and a firmware project."""
    from edgesq.cli.export import run

    run(
        target,
        runtime,
        model,
        out,
        calibration=calibration,
        layout=layout,
        name=name,
        goal=optimize,
        ram_limit=ram_limit,
        classes=classes,
        fit=fit,
        strict=strict,
        tflm_dir=tflm_dir,
        optimize_accuracy=optimize_accuracy,
        compress=compress,
        max_drop=max_drop,
    )


@app.command()
@terminal.command
def flash(
    build: Annotated[
        Path,
        typer.Option("--build", help="Folder that `export`, or ESP-IDF's `idf.py build`, wrote."),
    ] = DEFAULT_BUILD,
    target: Annotated[
        str | None, typer.Option(help="Another board than the one exported for.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the emulated board.")] = False,
    runner: Annotated[
        str | None, typer.Option(help="Another way to flash than the board's first.")
    ] = None,
    probe: Annotated[
        str | None,
        typer.Option(help="Serial number of the debug probe, or ESP32's port, where several are."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the commands and run none.")
    ] = False,
) -> None:
    """Compile if need be, and program the board (or start the emulated one)."""
    from edgesq.cli.flash import run

    run(build, target, stop, runner, probe, dry_run)


@app.command()
@terminal.command
def verify(
    build: Build = DEFAULT_BUILD,
    port: Annotated[
        list[str] | None,
        typer.Option(
            help="Serial device, URL, labgrid://PLACE; found if left out; several share the images."
        ),
    ] = None,
    images: ImagesOption = None,
    count: Count = None,
    classes: ClassFile = None,
    json: Annotated[
        Path | None, typer.Option(help="Report to write; BUILD/verify.json if left out.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="JUnit XML to write, for CI.")] = None,
    html: Annotated[Path | None, typer.Option(help="Page with pictures to write.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the report of a run that was ended.")
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=86_400,
            callback=_check_number,
            help="Seconds of silence after which the board is given up.",
        ),
    ] = 5.0,
    layers: Annotated[
        bool, typer.Option("--layers", help="Compare every operator too; name the first wrong one.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Show what every operator takes on the board.")
    ] = False,
    baud: Annotated[
        str,
        typer.Option(
            metavar="N|auto", help="Rate to go to where both sides hold it; auto: the fastest."
        ),
    ] = "115200",
) -> None:
    """Stream images to the board and compare every value with the host's."""
    from edgesq.cli.inside import Looking
    from edgesq.cli.verify import Images, Outputs, run

    looking = Looking(layers, profile)
    outputs = Outputs(json, junit, html)
    shown = Images(images, count, classes)
    run(build, tuple(port or ()), shown, outputs, looking, resume, timeout, baud)


@app.command()
@terminal.command
def evaluate(
    images: Annotated[
        Path, typer.Option(help="Folder with one folder per class, or .npz with labels.")
    ],
    build: Build = DEFAULT_BUILD,
    port: Annotated[
        list[str] | None, typer.Option(help="Judge the board too, as `verify` reaches it.")
    ] = None,
    count: Count = None,
    classes: ClassFile = None,
    json: Json = None,
) -> None:
    """Judge every form of the model on labelled images, and say which layer costs most."""
    from edgesq.cli.evaluate import run
    from edgesq.cli.verify import Images

    run(build, Images(images, count, classes), tuple(port or ()), json)


@app.command()
@terminal.command
def plan(
    model: Annotated[
        Path | None,
        typer.Argument(help=MODEL_KINDS),
    ] = None,
    target: Annotated[str, typer.Option(help="Board; see `edgesq targets`.")] = "cortex-m",
    optimize: Optimize = Goal.BALANCED,
    ram_limit: RamLimit = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw RAM against speed into this SVG.")
    ] = None,
    json: Json = None,
) -> None:
    """Show what a model takes on a board, operator by operator, without exporting it."""
    from edgesq.cli.plan import run

    run(model, target, optimize, ram_limit, picture, json)


@app.command()
@terminal.command
def compare_runtimes(
    model: Annotated[
        Path | None,
        typer.Argument(help=MODEL_KINDS),
    ] = None,
    target: Annotated[str, typer.Option(help="Board; see `edgesq targets`.")] = "cortex-m",
    tflm_dir: TflmDir = None,
    json: Json = None,
) -> None:
    """Show RAM, flash and instructions by edgesq and by TensorFlow Lite Micro, side by side."""
    from edgesq.cli.compare_runtimes import run

    run(model, target, tflm_dir, json)


@app.command()
@terminal.command
def targets(
    fits: Annotated[
        Path | None, typer.Option(help="Say which boards this model fits, and by how much.")
    ] = None,
    json: Json = None,
) -> None:
    """List the boards edgesq knows."""
    from edgesq.cli.targets import run

    run(fits, json)


@app.command()
@terminal.command
def doctor(
    install: Annotated[
        bool, typer.Option("--install", help="Run that command (apt-get, as root or by sudo).")
    ] = False,
) -> None:
    """Say what is missing on this machine, and the command that installs it."""
    from edgesq.cli.doctor import run

    run(install)


@app.command()
@terminal.command
def inspect(
    build: Annotated[Path, typer.Argument(help="Folder that `export` wrote.")] = DEFAULT_BUILD,
    json: Json = None,
) -> None:
    """Show what a build holds: sizes, operators, memory, parity."""
    from edgesq.cli.inspect import run

    run(build, json)


@app.command()
@terminal.command
def schema(
    document: Annotated[
        Document, typer.Argument(help="`report`: BUILD/report.json; `target`: targets/*.toml.")
    ],
) -> None:
    """Print the JSON schema of a file that commands write or read."""
    from edgesq.cli.schema import run

    run(document)


def _print_version(wanted: bool) -> None:
    if wanted:
        terminal.out.print(f"edgesq {edgesq.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it and end."),
    ] = False,
) -> None:
    """Put small int8 image networks on microcontrollers and prove that they work there."""
