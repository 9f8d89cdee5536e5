"""Pictures of RAM against speed, and of size against loss."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgesq.builds.facts import SizePoint
from edgesq.plan import Candidate


def draw_curve(candidates: Sequence[Candidate], chosen: Candidate, path: Path) -> None:
    """Draw arena bytes against estimated instructions into an SVG, the same bytes every time.

    Args:
        candidates: from bands of one row to whole maps.
        chosen: the plan to mark.
        path: the file to write.
    """
    arenas = [candidate.plan.arena_bytes / 1024 for candidate in candidates]
    millions = [candidate.instructions / 1e6 for candidate in candidates]
    with _picture(path) as axes:
        axes.plot(arenas, millions, "o-", label="one band height for all operators")
        mark = (chosen.plan.arena_bytes / 1024, chosen.instructions / 1e6)
        axes.plot(*mark, "D", markersize=9, label="this plan")
        axes.set_xscale("log")
        axes.set_ylim(0, 1.1 * max(millions))
        axes.set_xlabel("arena, KiB")
        axes.set_ylabel("instructions per image, estimated, millions")
        axes.set_title("RAM against speed, from bands of one row to whole maps")
        axes.legend()


def draw_loss(points: Sequence[SizePoint], chosen_bytes: int, path: Path) -> None:
    """Draw the size of the image against KL and agreement into an SVG, the same bytes every time.

    Args:
        points: by size; the last one is int8.
        chosen_bytes: the image to mark.
        path: the file to write.
    """
    sizes = [point.image_bytes / 1000 for point in points]
    with _picture(path) as axes:
        left = axes.plot(sizes, [point.kl for point in points], "o-", label="KL to float")
        other = axes.twinx()
        agreement = [100 * point.agreement for point in points]
        right = other.plot(sizes, agreement, "s--", color="C1", label="same class as float")
        mark = axes.axvline(chosen_bytes / 1000, color="0.5", linestyle=":", label="this image")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("whole image in flash, 1000 B; the last point is int8")
        axes.set_ylabel("KL to float, nats")
        other.set_ylabel("images with float's class, %")
        axes.set_title("Size against loss, on calibration images held out")
        axes.legend(handles=[*left, *right, mark], loc="center right")


@contextmanager
def _picture(path: Path) -> Iterator[Any]:
    """Yield axes and write what was drawn on them."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "edgesq", "svg.fonttype": "none"}):
        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        axes = figure.subplots()
        axes.grid(visible=True, alpha=0.3)
        yield axes
        figure.savefig(path, format="svg", metadata={"Date": None})
