"""Tables that more than one command shows."""

from typing import TYPE_CHECKING

from rich.table import Table

from edgesq.cli import terminal

if TYPE_CHECKING:
    from edgesq.builds import AccuracyFacts, CompressionFacts, ExportReport, SizePoint
    from edgesq.builds.facts import ParityFacts


def print_sizes(report: "ExportReport") -> None:
    """Print what a build takes on its target."""
    from edgesq.api import tables

    terminal.print_table(tables.sizes(report))


def print_parity(parity: "ParityFacts") -> None:
    """Print that table, and below it which forms are far off."""
    from edgesq.api import tables

    terminal.print_table(tables.parity(parity))
    for row in parity.rows:
        if row.note and row.differing is not None:
            terminal.say(f"warning: {row.name}: {row.note}")


def trial_table(accuracy: "AccuracyFacts") -> Table:
    """Return what was tried for accuracy, the recipe taken marked."""
    table = terminal.table(
        "int8 against float, on calibration images that each was not fitted to",
        ["recipe"],
        ["images", "KL to float", "same class", "SQNR", "seconds"],
    )
    for trial in accuracy.trials:
        table.add_row(
            f"{trial.recipe}{'  <- taken' if trial.is_kept else ''}",
            str(trial.images),
            f"{trial.kl:.5f}",
            f"{trial.agreement:.1%}",
            "exact" if trial.sqnr_db is None else f"{trial.sqnr_db:.1f} dB",
            f"{trial.seconds:.1f}",
            style="bold" if trial.is_kept else None,
        )
    return table


def compression_table(compression: "CompressionFacts", chosen: "SizePoint") -> Table:
    """Return what a model loses by size, the size chosen marked."""
    table = terminal.table(
        f"size against loss, on {compression.held_out} calibration images held out",
        ["whole firmware"],
        ["weights", "bits each", "KL to float", "same class", "points lost", "nine in ten"],
    )
    for point in compression.curve:
        is_chosen = point.image_bytes == chosen.image_bytes
        note = "  this image" if is_chosen else "" if point.images else "  int8"
        table.add_row(
            f"{point.image_bytes:,}{note}",
            f"{point.weights_bytes:,}",
            f"{point.bits_per_weight:.2f}",
            f"{point.kl:.4f}",
            f"{point.agreement:.1%}",
            f"{point.drop:.2f}",
            point.drop_range,
            style="bold" if is_chosen else None,
        )
    return table
