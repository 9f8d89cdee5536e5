"""Where trials run: a way to hand them out and take what comes back first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from edgesq.search.images import Images
from edgesq.search.trial import Result, Task

MAX_TRIES = 3
"""Of a trial whose worker is lost, before it counts as failed."""


class Engine(ABC):
    """Runs trials beside each other.

    Attributes:
        workers: trials at once, at least 1.
    """

    workers: int

    @abstractmethod
    def submit(self, task: Task) -> None:
        """Hand a trial out."""

    @abstractmethod
    def next(self) -> tuple[int, Result]:
        """Wait for the next trial that ends; return its number and what became of it.

        Raises:
            ToolError: workers cannot be started.
        """

    @abstractmethod
    def close(self) -> None:
        """End the workers, whatever they are at."""


class ImageStore:
    """The images by size: made once, as files that workers read.

    Args:
        folder: to keep them in.
        make: images of a size.
    """

    def __init__(self, folder: Path, make: Callable[[int], Images]) -> None:
        self._folder = folder
        self._make = make

    def path(self, side: int) -> Path:
        """Return the file of a size."""
        path = self._folder / f"images-{side}.npz"
        if not path.is_file():
            self._folder.mkdir(exist_ok=True)
            draft = path.with_name(f"draft-{path.name}")
            self._make(side).write(draft)
            draft.replace(path)
        return path

    def images(self, side: int) -> Images:
        """Return the images of a size."""
        return Images.read(self.path(side))
