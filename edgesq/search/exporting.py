"""A trial's network as a build folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgesq.errors import EdgesqError
from edgesq.extras import require
from edgesq.search.folder import StudyFolder
from edgesq.search.records import Needed, Row, Settings
from edgesq.targets import load_target

if TYPE_CHECKING:
    from edgesq.builds.steps import OnStage


@dataclass(frozen=True)
class Exported:
    """A build, beside what the study said of it.

    Attributes:
        out: the build folder.
        row: the trial.
        flash_bytes, ram_bytes: by the linker; None where nothing was compiled.
        arena_bytes: as planned.
    """

    out: Path
    row: Row
    flash_bytes: int | None
    ram_bytes: int | None
    arena_bytes: int | None

    @property
    def is_as_said(self) -> bool:
        """Whether the build takes what the study said, to the byte."""
        said = self.row.outcome.needed
        assert said is not None
        if self.flash_bytes is None or not said.is_linked:
            return self.arena_bytes == said.arena_bytes
        return (self.flash_bytes, self.ram_bytes) == (said.flash_bytes, said.ram_bytes)

    @property
    def said(self) -> Needed:
        """What the study said."""
        assert self.row.outcome.needed is not None
        return self.row.outcome.needed


def export_trial(
    study: Path, number: int, out: Path | None, on_stage: OnStage, storage: str | None = None
) -> Exported:
    """Write the build of a trial.

    Args:
        study: its folder.
        number: of the trial.
        out: the build folder; None for one in the study's.
        on_stage: is told what begins.
        storage: its URL with a password, where it needs one; None for what the study keeps.

    Raises:
        EdgesqError: there is no such study or trial, or it was not trained.
    """
    require("optuna")
    from edgesq.builds import ExportOptions, export, read_report  # workers do without

    folder = StudyFolder(study)
    settings = folder.settings()
    row = _row(folder, settings, number, storage)
    model = folder.model(row.number if row.same_as is None else row.same_as)
    target = out or study / f"trial-{number}"
    data = Path(settings.data)
    options = ExportOptions(
        model=model,
        calibration=data if data.is_dir() else None,
        target=load_target(settings.target),
        out=target,
        ram_limit=settings.limits.ram_bytes,
        name=f"trial_{number}",
    )
    export(options, on_stage)
    report = read_report(target)
    sizes = report.sizes
    return Exported(
        target,
        row,
        None if sizes is None else sizes.flash_bytes,
        None if sizes is None else sizes.ram_bytes,
        report.firmware.arena_bytes,
    )


def _row(folder: StudyFolder, settings: Settings, number: int, storage: str | None) -> Row:
    """Return a trial that has a network."""
    from edgesq.search.store import Store

    url = folder.url(storage or settings.storage)
    rows = Store(url, settings.name, settings.training.seed, resume=True).rows()
    row = next((one for one in rows if one.number == number), None)
    number = number if row is None or row.same_as is None else row.same_as
    if row is None or row.outcome.needed is None or not folder.model(number).is_file():
        raise EdgesqError(
            f"{number} {_lack(row)}, so there is no network",
            where=str(folder.path),
            hint="take one of the front, which the page shows",
        )
    return row


def _lack(row: Row | None) -> str:
    """Say why there is no network."""
    if row is None:
        return "is no trial of this study"
    is_lost = row.outcome.needed is not None
    return "was trained, and its file is gone" if is_lost else "was never trained"
