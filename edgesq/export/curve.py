"""The RAM-against-speed curve of a model as a picture."""

from collections.abc import Sequence
from pathlib import Path

from edgesq.plan import Candidate


def draw_curve(candidates: Sequence[Candidate], chosen: Candidate, path: Path) -> None:
    """Draw arena bytes against estimated instructions into an SVG, the same bytes every time.

    Args:
        candidates: from bands of one row to whole maps.
        chosen: the plan to mark.
        path: the file to write.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "edgesq", "svg.fonttype": "none"}):
        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        axes = figure.subplots()
        arenas = [candidate.plan.arena_bytes / 1024 for candidate in candidates]
        millions = [candidate.instructions / 1e6 for candidate in candidates]
        axes.plot(arenas, millions, "o-", label="one band height for all operators")
        mark = (chosen.plan.arena_bytes / 1024, chosen.instructions / 1e6)
        axes.plot(*mark, "D", markersize=9, label="this plan")
        axes.set_xscale("log")
        axes.set_ylim(0, 1.1 * max(millions))
        axes.set_xlabel("arena, KiB")
        axes.set_ylabel("instructions per image, estimated, millions")
        axes.set_title("RAM against speed, from bands of one row to whole maps")
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
        figure.savefig(path, format="svg", metadata={"Date": None})
