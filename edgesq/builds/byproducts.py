"""Files that an export can do without: one that cannot be made becomes a line of warning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from edgesq.errors import EdgesqError

T = TypeVar("T")
_MAX_REASON_CHARS = 200


@dataclass(eq=False)
class ByProducts:
    """Makes files that nothing else needs.

    Attributes:
        folder: where they lie.
        left_out: one line for each that could not be made.
    """

    folder: Path
    left_out: list[str] = field(default_factory=list)

    def make(self, file: str, how: Callable[[Path], T]) -> T | None:
        """Make a file; return what its maker returns, None where it fails.

        Raises:
            OSError: the disk is full, for instance: then all that follows would fail too.
        """
        try:
            return how(self.folder / file)
        except OSError:
            raise
        # Foreign libraries make them, which raise anything.
        except Exception as error:
            (self.folder / file).unlink(missing_ok=True)
            said = (
                str(error) if isinstance(error, EdgesqError) else f"{type(error).__name__}: {error}"
            )
            self.left_out.append(
                f"{file} is left out: {' '.join(said.split())[:_MAX_REASON_CHARS]}"
            )
            return None
