"""`edgesq verify`."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from edgesq.calibrate import Classes, read_classes
from edgesq.cli import terminal, verify_tables
from edgesq.cli.inside import Looking, print_inside
from edgesq.cli.terminal import styled
from edgesq.errors import BoardError, EdgesqError
from edgesq.files import check_output
from edgesq.link.labgrid import held
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, VerifyReport, read_json, verify, write_junit

_DEFAULT_REPORT = "verify.json"
_RATE_LIMIT = 1 << 32


@dataclass(frozen=True)
class Images:
    """Which images, and what classes they have.

    Attributes:
        source: folder or .npz; None for the build's own.
        count: at most so many.
        classes: a file of class names; None for those of the build or the folder.
    """

    source: Path | None
    count: int | None
    classes: Path | None

    def declared(self) -> Classes | None:
        """Read the file of class names, if there is one.

        Raises:
            ImageError: it declares no classes.
        """
        return None if self.classes is None else read_classes(self.classes)


@dataclass(frozen=True)
class Outputs:
    """Files to write.

    Attributes:
        json: the report; None for the one in the build folder.
        junit: the same as JUnit XML, or None.
        html: the same as a page with pictures, or None.
    """

    json: Path | None
    junit: Path | None
    html: Path | None

    def check(self) -> None:
        """Refuse before the work what could not be written after it.

        Raises:
            EdgesqError: a path is a folder, or in none.
        """
        for option, path in vars(self).items():
            check_output(path, f"--{option}")

    def report_path(self, build: Path) -> Path | None:
        """Return where the report is kept; None where only a build folder is read-only."""
        path = self.json or build / _DEFAULT_REPORT
        return path if self.json or os.access(build, os.W_OK) else None

    def write(self, report: VerifyReport, options: VerifyOptions) -> None:
        """Write all but the report itself, which is kept while images stream."""
        if self.junit is not None:
            write_junit(report, self.junit)
        if self.html is not None:
            from edgesq.verify.page import write_page

            write_page(report, options, self.html)


def run(
    build: Path,
    ports: tuple[str, ...],
    images: Images,
    outputs: Outputs,
    looking: Looking,
    resume: bool,
    timeout: float,
    baud: str,
) -> None:
    """Stream, compare, show; exit 1 where a value differs."""
    from edgesq.builds import read_report

    outputs.check()
    target = load_target(read_report(build).firmware.target)
    path = outputs.report_path(build)
    options = VerifyOptions(
        build,
        ports,
        images.source,
        images.count,
        images.declared(),
        baud=_rate(baud),
        timeout=timeout,
        usb_ids=target.usb_ids,
        report=path,
        resume=resume,
    )
    with held(ports), _kept(options, outputs):
        with terminal.counter("verify") as on_progress:
            result = verify(options, on_progress)
        result = looking.inside(options, result)
    outputs.write(result, options)
    _show(result)


@contextlib.contextmanager
def _kept(options: VerifyOptions, outputs: Outputs) -> Iterator[None]:
    """Where it ends early, say how far it came, and how to go on."""
    earlier = _changed(options.report)
    try:
        yield
    except (KeyboardInterrupt, SystemExit, BoardError):
        if options.report is not None and _changed(options.report) != earlier:
            _leave(outputs, options, options.report)
        raise


def _rate(words: str) -> int | None:
    """Return the rate that `--baud` asks for, None for the fastest."""
    if words == "auto":
        return None
    if re.fullmatch(r"[0-9]{1,10}", words) and 0 < int(words) < _RATE_LIMIT:
        return int(words)
    raise EdgesqError("is no rate", where=f"--baud {words}", hint="try 921600, or auto")


def _changed(path: Path | None) -> int | None:
    """Return when a file was written, in nanoseconds; None where there is none."""
    return path.stat().st_mtime_ns if path is not None and path.exists() else None


def _leave(outputs: Outputs, options: VerifyOptions, path: Path) -> None:
    """Where it was ended, or the boards went away, say how far it came."""
    report = read_json(path)
    outputs.write(report, options)
    terminal.say(
        f"{report.run.images:,} of {report.run.planned:,} images are in {path}; "
        "the same command with --resume goes on from there",
        to=terminal.err,
    )


def _show(result: VerifyReport) -> None:
    terminal.out.print(verify_tables.summary(result))
    terminal.out.print(verify_tables.comparisons(result))
    if result.boards:
        terminal.out.print(verify_tables.boards(result))
    confusion = verify_tables.confusion(result)
    if confusion is not None:
        terminal.out.print(confusion)
    if result.classes.names:
        terminal.say(f"classes: {result.classes}")
    for note in result.notes:
        terminal.say(styled("note:", "yellow"), f" {note}", to=terminal.err)
    for warning in result.warnings:
        terminal.say(styled("It could be faster", "yellow"), f": {warning}.")
    print_inside(result)
    if not (result.is_exact and result.is_exact_inside):
        terminal.say(styled("The board differs from the host.", "bold red"))
        raise typer.Exit(terminal.EXIT_DIFFERENT)
    exact = f": {result.device.board} computes exactly what {result.run.expected_by} does."
    terminal.say(styled("0 differing values", "bold green"), exact)
