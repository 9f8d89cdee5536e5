"""The folder of a study: its settings, storage, trained networks and page; one run at a time."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edgesq.errors import EdgesqError
from edgesq.files import read_json, write_whole
from edgesq.records import made, plain
from edgesq.search.records import Settings, StudyDocument

SETTINGS, RESULT, PAGE = "study.json", "result.json", "study.html"
_DATABASE, _LOCK, _TRIALS, _IMAGES = "study.db", ".lock", "trials", ".images"


class StudyFolder:
    """A folder that a study lives in.

    Args:
        path: of it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_made = False

    @property
    def images(self) -> Path:
        """Where images of each size are kept while the study runs."""
        return self.path / _IMAGES

    @property
    def page(self) -> Path:
        """The HTML page."""
        return self.path / PAGE

    def url(self, storage: str | None) -> str:
        """Return Optuna's URL of the storage: a file here where none is named."""
        return storage or f"sqlite:///{(self.path / _DATABASE).absolute()}"

    def create(self, settings: Settings) -> None:
        """Make the folder of a new study.

        Raises:
            EdgesqError: something is there already, or no database can be made there.
        """
        self._refuse_used()
        (self.path / _TRIALS).mkdir(parents=True, exist_ok=True)
        if settings.storage is None:
            try:
                with closing(sqlite3.connect(self.path / _DATABASE)) as database:
                    database.execute("PRAGMA journal_mode=WAL")  # a third of the waits for the disk
            except sqlite3.Error as error:
                raise EdgesqError(
                    f"no database can be made: {error}", where=str(self.path), hint="see --storage"
                ) from error
        write_whole(self.path / SETTINGS, f"{json.dumps(plain(settings), indent=1)}\n")

    def discard(self) -> None:
        """Remove what a study left that came to nothing, so that its command can be given again."""
        for one in self.path.iterdir():
            if one.is_dir():
                shutil.rmtree(one, ignore_errors=True)
            else:
                one.unlink(missing_ok=True)
        if self._is_made:
            self.path.rmdir()

    def _refuse_used(self) -> None:
        others = {entry.name for entry in self.path.iterdir()} if self.path.is_dir() else {"file"}
        if self.path.exists() and others - {_LOCK}:
            what = "holds a study" if (self.path / SETTINGS).is_file() else "is not empty"
            hint = "go on with it by --resume, or name another --out"
            raise EdgesqError(what, where=str(self.path), hint=hint)

    def settings(self) -> Settings:
        """Return what the study was asked for.

        Raises:
            EdgesqError: there is no study, or a damaged one.
        """
        try:
            return made(Settings, read_json(self.path / SETTINGS))
        except FileNotFoundError as error:
            raise EdgesqError(
                "holds no study", where=str(self.path), hint="`edgesq search DATA --out` makes one"
            ) from error
        except (ValueError, OSError) as error:
            raise EdgesqError(
                f"{SETTINGS} cannot be read: {error}", where=str(self.path), hint="begin anew"
            ) from error

    def name(self) -> str:
        """Return a name for the study in a storage that others use too."""
        return f"edgesq {self.path.resolve().name}"

    def model(self, number: int) -> Path:
        """Return where the int8 .tflite of a trial is."""
        return self.path / _TRIALS / f"{number}.tflite"

    def keep(self, number: int, content: bytes) -> None:
        """Write the int8 .tflite of a trial."""
        write_whole(self.model(number), content)

    def finish(self, document: StudyDocument, page: str) -> None:
        """Write result and page."""
        write_whole(self.path / RESULT, f"{json.dumps(plain(document), indent=1)}\n")
        write_whole(self.page, page)

    @contextmanager
    def held(self, new: Settings | None = None) -> Iterator[None]:
        """Keep other runs out, and remove the images at the end.

        Args:
            new: settings of a study to begin here; None where there is one.

        Raises:
            EdgesqError: another run goes on; and, of a new study, as `create`.
        """
        if new is not None:
            self._refuse_used()
            self._is_made = not self.path.exists()
            self.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._lock(descriptor)
            if new is not None:
                self.create(new)
            yield
        finally:
            shutil.rmtree(self.images, ignore_errors=True)
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        """Take the lock, and see that it is still the folder's: a run that failed removes it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = os.path.samestat(os.fstat(descriptor), (self.path / _LOCK).stat())
        except OSError:
            is_there = False
        if not is_there:
            raise EdgesqError(
                "is used by another run", where=str(self.path), hint="wait until it has ended"
            )
