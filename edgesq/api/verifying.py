"""Verify a board, and write what was found wherever it is wanted."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypedDict

from edgesq.api.given import ClassNames, StrPath, check_count, classes_of, path_of, several, within
from edgesq.api.progress import OnProgress, counted
from edgesq.builds import VERIFY_REPORT, read_report
from edgesq.errors import BoardError, EdgesqError, ToolError
from edgesq.files import check_output
from edgesq.limits import TIMEOUT_S, TIMEOUTS_S
from edgesq.link.labgrid import held
from edgesq.link.transport import ids_there
from edgesq.targets import load_target
from edgesq.verify import (
    Outlook,
    VerifyOptions,
    VerifyReport,
    look_inside,
    read_json,
    verify,
    write_junit,
)
from edgesq.verify.thresholds import Threshold, check_baseline, read_thresholds

OnPartial = Callable[[VerifyReport, Path], None]
OnStart = Callable[[Outlook], None]

_MAX_RATE = (1 << 32) - 1


@dataclass(frozen=True)
class Outputs:
    """Files to write.

    Attributes:
        json: the report; None for the one in the build folder.
        junit: the same as JUnit XML, or None.
        html: the same as a page with pictures, or None.
    """

    json: Path | None = None
    junit: Path | None = None
    html: Path | None = None

    def check(self) -> None:
        """Refuse before the work what could not be written after it.

        Raises:
            EdgesqError: a path is a folder, or in none.
        """
        for option, path in vars(self).items():
            check_output(path, f"--{option}")

    def report_path(self, build: Path) -> Path | None:
        """Return where the report is kept; None where only a build folder is read-only."""
        path = self.json or build / VERIFY_REPORT
        return path if self.json or os.access(build, os.W_OK) else None

    def write(self, report: VerifyReport, options: VerifyOptions) -> None:
        """Write all but the report itself, which is kept while images stream."""
        if self.junit is not None:
            write_junit(report, self.junit)
        if self.html is not None:
            from edgesq.verify.page import write_page

            write_page(report, options, self.html)


@dataclass(frozen=True)
class Looking:
    """What to look at inside the board, besides its outputs.

    Attributes:
        layers: compare every operator.
        profile: show what every operator takes.
    """

    layers: bool = False
    profile: bool = False

    def inside(
        self, options: VerifyOptions, report: VerifyReport, on_progress: OnProgress | None
    ) -> VerifyReport:
        """Return the report with what was asked for, also where it is kept."""
        if not (self.layers or self.profile):
            return report
        left = tuple(board.port for board in report.boards if board.state == "finished")
        options = replace(options, ports=left or options.ports)
        tell = counted(on_progress, "layer by layer")
        found = look_inside(options, tell, with_layers=self.layers)
        operators = found.operators if self.profile else None
        report = replace(report, layers=found.layers, profile=operators)
        if options.report is not None:
            report.write_json(options.report)
        return report


@dataclass(frozen=True)
class Judging:
    """What a report must hold.

    Attributes:
        thresholds: that were asked for.
        baseline: that changes are measured from; None for none.
    """

    thresholds: tuple[Threshold, ...] = ()
    baseline: VerifyReport | None = None

    @classmethod
    def of(cls, fail_if: Sequence[str], path: Path | None, options: VerifyOptions) -> Self:
        """Read thresholds and baseline; refuse before the work what can be refused.

        Raises:
            EdgesqError: an expression or the baseline cannot be read, the baseline says too little,
                or the report would be written over it.
        """
        thresholds = read_thresholds(fail_if)
        kept = None if options.report is None else options.report.resolve()
        if path is not None and path.resolve() == kept:
            hint = "keep the baseline elsewhere, or write the report elsewhere with --json"
            raise EdgesqError("would be written over", where=f"--baseline {path}", hint=hint)
        baseline = None if path is None else read_json(path, "see --baseline")
        check_baseline(thresholds, None if baseline is None else baseline.metrics)
        return cls(thresholds, baseline)

    def judged(self, options: VerifyOptions, report: VerifyReport) -> VerifyReport:
        """Return the report with what becomes of the thresholds, also where it is kept.

        Raises:
            EdgesqError: a figure is not known, or the baseline is of something else.
        """
        if not self.thresholds:
            return report
        report = report.judged(self.thresholds, self.baseline)
        if options.report is not None:
            report.write_json(options.report)
        return report


def rate_of(baud: int | str) -> int | None:
    """Return the rate that is asked for, None for the fastest, which is called "auto".

    Raises:
        EdgesqError: it is no rate.
    """
    words = str(baud)
    if words == "auto":
        return None
    if re.fullmatch(r"[0-9]{1,10}", words) and 0 < int(words) <= _MAX_RATE:
        return int(words)
    raise EdgesqError("is no rate", where=f"--baud {words}", hint="try 921600, or auto")


class VerifyArguments(TypedDict, total=False):
    """What `verify` of a board or a build takes by name, all of it optional.

    Attributes:
        classes: file of class names, or the names in the model's order; without it those of the
            build or the images.
        layers: compare every operator's output too, and name the first that differs; of several
            boards, in the first.
        profile: measure what every operator takes on the board; likewise.
        baud: bits per second to go to where both sides hold it, or "auto" for the fastest; without
            it as `edgesq verify` does.
        timeout: seconds of silence after which the board is given up, from 0.1; 5 without it.
        json: the report's file; BUILD/verify.json without it.
        junit: JUnit XML to write.
        html: page with pictures to write.
        resume: go on from the report of a run that was ended.
        sequence: images of a sequence, of a model that keeps state from image to image: a reset
            comes before each so many. Without it 16; 1 where an image has several steps of time.
        fail_if: thresholds, such as "instructions>+1%", "ram>65536" or "accuracy<-0.5": see
            `VerifyReport.check`; what becomes of them is in `VerifyReport.thresholds`.
        baseline: verify.json of an earlier run, that thresholds with a sign are measured from.
        on_progress: is told how many images are done, as `Progress`.
    """

    classes: ClassNames | None
    layers: bool
    profile: bool
    baud: int | str | None
    timeout: float
    json: StrPath | None
    junit: StrPath | None
    html: StrPath | None
    resume: bool
    sequence: int | None
    fail_if: Sequence[str]
    baseline: StrPath | None
    on_progress: OnProgress | None


def verify_build(
    folder: Path,
    ports: Sequence[str],
    images: StrPath | None,
    count: int | None,
    *,
    classes: ClassNames | None = None,
    layers: bool = False,
    profile: bool = False,
    baud: int | str | None = None,
    timeout: float = TIMEOUT_S,
    json: StrPath | None = None,
    junit: StrPath | None = None,
    html: StrPath | None = None,
    resume: bool = False,
    sequence: int | None = None,
    fail_if: Sequence[str] = (),
    baseline: StrPath | None = None,
    on_progress: OnProgress | None = None,
    on_partial: OnPartial | None = None,
    on_start: OnStart | None = None,
) -> VerifyReport:
    """Verify the boards of a build; the arguments are those of `Build.verify`.

    `on_partial` is told of a run that is ended, and its file; `on_start` what it has before it.

    Raises:
        EdgesqError: as there.
    """
    outputs = Outputs(path_of(json), path_of(junit), path_of(html))
    outputs.check()
    check_count(count, "count")
    within(timeout, *TIMEOUTS_S, "timeout")
    target = load_target(read_report(folder).firmware.target)
    options = VerifyOptions(
        folder,
        several(ports, "ports"),
        path_of(images),
        count,
        classes_of(classes),
        timeout=timeout,
        usb_ids=ids_there(target.own_usb_ids, target.usb_ids),
        report=outputs.report_path(folder),
        resume=resume,
        sequence=sequence,
    )
    options = options if baud is None else replace(options, baud=rate_of(baud))
    looking = Looking(layers, profile)
    judging = Judging.of(fail_if, path_of(baseline), options)
    return _verify(options, outputs, looking, judging, on_progress, on_partial, on_start)


def _verify(
    options: VerifyOptions,
    outputs: Outputs,
    looking: Looking,
    judging: Judging,
    on_progress: OnProgress | None,
    on_partial: OnPartial | None,
    on_start: OnStart | None,
) -> VerifyReport:
    """Stream, compare, look inside, write."""
    with held(options.ports), _kept(options, outputs, on_partial):
        report = verify(options, counted(on_progress, "verify"), on_start=on_start)
        report = looking.inside(options, report, on_progress)
    try:
        report = judging.judged(options, report)
    finally:  # a figure that is not known is an error; what was found is kept
        outputs.write(report, options)
    return report


@contextlib.contextmanager
def _kept(options: VerifyOptions, outputs: Outputs, on_partial: OnPartial | None) -> Iterator[None]:
    """Where it ends early, write what there is of the report in every form."""
    earlier = _changed(options.report)
    try:
        yield
    except (KeyboardInterrupt, SystemExit, BoardError, ToolError):
        if options.report is not None and _changed(options.report) != earlier:
            report = read_json(options.report)
            outputs.write(report, options)
            if on_partial is not None:
                on_partial(report, options.report)
        raise


def _changed(path: Path | None) -> int | None:
    """Return when a file was written, in nanoseconds; None where there is none."""
    return path.stat().st_mtime_ns if path is not None and path.exists() else None
