"""How far a call is, told to whoever wants to show it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a call is.

    Attributes:
        stage: what is being done, in words.
        number: of the step that begins, from 1; or, where images are counted, how many are done.
        total: steps or images in all, as far as that is known yet; never less than `number`.
    """

    stage: str
    number: int
    total: int

    def __str__(self) -> str:
        """Return it as one line."""
        return f"[{self.number}/{self.total}] {self.stage}"


OnProgress = Callable[[Progress], None]
"""Is called with each `Progress`, in the thread that made the call; it may raise to end it."""


def unheard(_: Progress) -> None:
    """Take progress that nobody wants to know."""


def counted(on_progress: OnProgress | None, stage: str) -> Callable[[int, int], None]:
    """Return what takes (images done, images in all) of a stage."""
    tell = on_progress or unheard
    return lambda done, total: tell(Progress(stage, done, total))


def numbered(on_progress: OnProgress | None, total: int) -> Callable[[str], None]:
    """Return what takes the names of steps, of which there are about `total`."""
    tell, begun = on_progress or unheard, 0

    def begin(stage: str) -> None:
        nonlocal begun
        begun += 1
        tell(Progress(stage, begun, max(begun, total)))

    return begin
