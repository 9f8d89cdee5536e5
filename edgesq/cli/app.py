"""The commands and their options; each one's work is in a module of its own name."""

from pathlib import Path
from typing import Annotated

import typer

from edgesq.choices import (
    DEFAULT_BUILD,
    DEFAULT_STUDY,
    DEFAULT_TARGET,
    MAX_DROP_POINTS,
    Activations,
    Goal,
    Layout,
    Runtime,
)
from edgesq.cli import search_options, terminal
from edgesq.cli.choices import Document
from edgesq.cli.options import (
    ActivationsOption,
    Baseline,
    Baud,
    Build,
    Calibration,
    ClassFile,
    Compress,
    Count,
    FailIf,
    FitOption,
    Html,
    ImagesOption,
    Json,
    Junit,
    Kernels,
    Layers,
    MaxDrop,
    Model,
    Optimize,
    OptimizeAccuracy,
    Ports,
    Profile,
    RamLimit,
    Resume,
    Steps,
    TflmDir,
    Timeout,
    VerifyJson,
)
from edgesq.cli.sizes import SizesMayBeLeftOut
from edgesq.limits import TIMEOUT_S
from edgesq.version import VERSION

app = typer.Typer(
    name="edgesq",
    help="Put small int8 image networks on microcontrollers and prove that they work there.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command(cls=SizesMayBeLeftOut)
@terminal.command
def export(
    model: Model = None,
    target: Annotated[str, typer.Option(help="Board; see `edgesq targets`.")] = DEFAULT_TARGET,
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
    activations: ActivationsOption = Activations.INT8,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse calibration images that look wrong.")
    ] = False,
    runtime: Annotated[Runtime, typer.Option(help="What computes on the board.")] = Runtime.EDGESQ,
    kernels: Kernels = None,
    tflm_dir: TflmDir = None,
    optimize_accuracy: OptimizeAccuracy = None,
    compress: Compress = None,
    max_drop: MaxDrop = MAX_DROP_POINTS,
) -> None:
    """Quantize a model and write every format and a firmware project."""
    from edgesq.cli.export import run

    run(
        target,
        model,
        out,
        runtime=runtime,
        kernels=kernels,
        calibration=calibration,
        format=layout,
        name=name,
        optimize=optimize,
        ram_limit=ram_limit,
        classes=classes,
        fit=fit,
        activations=activations,
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
        typer.Option(
            "--build", help="Folder that `export`, or another build system (see boards), wrote."
        ),
    ] = DEFAULT_BUILD,
    options: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- OPTIONS]", help="For the other build system's own program, as west's."
        ),
    ] = None,
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
    tcp: Annotated[
        bool,
        typer.Option("--tcp", help="Emulated board: socket://127.0.0.1:PORT instead of a pty."),
    ] = False,
) -> None:
    """Compile if need be, and program the board (or start the emulated one)."""
    from edgesq.cli.flash import run

    run(build, target, stop, runner, probe, dry_run, tcp, tuple(options or ()))


@app.command()
@terminal.command
def verify(
    build: Build = DEFAULT_BUILD,
    port: Ports = None,
    images: ImagesOption = None,
    count: Count = None,
    classes: ClassFile = None,
    json: VerifyJson = None,
    junit: Junit = None,
    html: Html = None,
    resume: Resume = False,
    sequence: Steps = None,
    timeout: Timeout = TIMEOUT_S,
    layers: Layers = False,
    profile: Profile = False,
    baud: Baud = "115200",
    fail_if: FailIf = None,
    baseline: Baseline = None,
) -> None:
    """Stream images to the board and compare every value with the host's."""
    from edgesq.cli.verify import run

    run(
        build,
        tuple(port or ()),
        images,
        count,
        json=json,
        junit=junit,
        html=html,
        classes=classes,
        layers=layers,
        profile=profile,
        baud=baud,
        timeout=timeout,
        resume=resume,
        sequence=sequence,
        fail_if=fail_if or (),
        baseline=baseline,
    )


@app.command()
@terminal.command
def evaluate(
    images: Annotated[
        Path,
        typer.Option(
            help="Folder with one folder per class, or with images and masks; or an .npz."
        ),
    ],
    build: Build = DEFAULT_BUILD,
    port: Annotated[
        list[str] | None, typer.Option(help="Judge the board too, as `verify` reaches it.")
    ] = None,
    count: Count = None,
    classes: ClassFile = None,
    json: Json = None,
) -> None:
    """Judge every form of the model on labelled images, and say which layer costs most.

    Top-1 of a classifier, mean IoU of a map of classes; of other models how near raw outputs are.
    """
    from edgesq.cli.evaluate import run

    run(build, tuple(port or ()), json, images=images, count=count, classes=classes)


@app.command()
@terminal.command
def plan(
    model: Model = None,
    target: Annotated[str, typer.Option(help="Board; see `edgesq targets`.")] = DEFAULT_TARGET,
    optimize: Optimize = Goal.BALANCED,
    ram_limit: RamLimit = None,
    kernels: Kernels = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw RAM against speed into this SVG.")
    ] = None,
    json: Json = None,
) -> None:
    """Show what a model takes on a board, operator by operator, without exporting it."""
    from edgesq.cli.plan import run

    run(model, target, optimize, ram_limit, kernels, picture, json)


@app.command()
@terminal.command
def search(
    data: search_options.SearchData = None,
    target: search_options.SearchTarget = None,
    out: search_options.SearchOut = None,
    ram_limit: RamLimit = None,
    flash_limit: search_options.FlashLimit = None,
    ms_limit: search_options.MsLimit = None,
    trials: search_options.Trials = None,
    hours: search_options.Hours = None,
    space: search_options.SpaceFile = None,
    side: search_options.Sides = None,
    hold: search_options.Hold = None,
    grid: search_options.Grid = None,
    epochs: search_options.Epochs = None,
    mirror: search_options.Mirror = False,
    seed: search_options.Seed = None,
    workers: search_options.WorkerCount = None,
    cpus: search_options.Cpus = 1,
    gpus: search_options.Gpus = 0.0,
    ray: search_options.RayAddress = None,
    storage: search_options.Storage = None,
    resume: search_options.ResumeStudy = False,
    export: search_options.ExportTrial = None,
) -> None:
    """Search the best small networks for a board: plan each first, train only what fits."""
    from edgesq.cli import search as command

    if export is not None:
        command.export(*export, out, storage)
        return
    command.run(
        out or DEFAULT_STUDY,
        command.Asked(
            data,
            target,
            command.Limits(ram_limit, flash_limit, ms_limit),
            space,
            tuple(side or ()),
            epochs,
            seed,
            mirror,
            storage,
            command.values_given(hold or (), "--hold"),
            command.values_given(grid or (), "--grid"),
        ),
        command.Workers(workers, ray, cpus, gpus),
        trials,
        hours,
        resume=resume,
    )


@app.command()
@terminal.command
def compare_runtimes(
    model: Model = None,
    target: Annotated[str, typer.Option(help="Board; see `edgesq targets`.")] = DEFAULT_TARGET,
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
        bool, typer.Option("--install", help="Install it, by the first package manager there is.")
    ] = False,
    udev: Annotated[
        bool,
        typer.Option("--udev", help="Print only udev rules: who may use boards and probes."),
    ] = False,
) -> None:
    """Say what is missing on this machine, and the command that installs it."""
    from edgesq.cli.doctor import run

    run(install, udev)


@app.command()
@terminal.command
def inspect(
    build: Annotated[Path, typer.Argument(help="Folder that `export` wrote.")] = DEFAULT_BUILD,
    json: Json = None,
    html: Annotated[
        Path | None, typer.Option(help="Page with pictures to write, as export's report.html.")
    ] = None,
) -> None:
    """Show what a build holds: sizes, operators, memory, parity."""
    from edgesq.cli.inspect import run

    run(build, json, html)


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
        terminal.out.print(f"edgesq {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print it and end."),
    ] = False,
) -> None:
    """Put small int8 image networks on microcontrollers and prove that they work there."""
