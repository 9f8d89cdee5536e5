"""Tables that more than one command shows."""

from typing import TYPE_CHECKING

from rich.table import Table

from edgesq.cli import terminal

if TYPE_CHECKING:
    from edgesq.builds import AccuracyFacts, CompressionFacts, ExportReport, SizePoint
    from edgesq.builds.facts import ParityFacts


def size_table(report: "ExportReport") -> Table:
    """Return what a build takes on its target."""
    sizes, model, firmware = report.sizes, report.model, report.firmware
    table = terminal.table(f"{model.name} on {firmware.target}", ["what"], ["bytes"])
    for name, value in (
        ("flash, whole image", sizes and sizes.flash_bytes),
        ("  of it weights", model.weights_bytes),
        ("RAM, whole image", sizes and sizes.ram_bytes),
        ("  of it arena", firmware.arena_bytes),
    ):
        table.add_row(name, "not compiled" if value is None else f"{value:,}")
    table.add_row("multiply-accumulates per image", f"{model.macs:,}")
    return table


def parity_table(parity: "ParityFacts") -> Table:
    """Return how every form of the model compares with BUILTIN_REF."""
    table = terminal.table(
        f"against TFLite's reference kernels, on {parity.images}",
        ["form"],
        ["images", "values", "differing", "max LSB", "same top-1"],
    )
    for row in parity.rows:
        if row.differing is None:
            table.add_row(row.name, row.note)
            continue
        table.add_row(
            row.name,
            f"{row.images:,}",
            f"{row.values:,}",
            terminal.styled("0", "green") if row.differing == 0 else f"{row.differing:,}",
            str(row.max_lsb),
            f"{row.top1_agreement:.1%}",
        )
    return table


def print_parity(parity: "ParityFacts") -> None:
    """Print that table, and below it which forms are far off."""
    terminal.out.print(parity_table(parity))
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
        ["whole image"],
        ["weights", "bits each", "KL to float", "same class", "points of top-1"],
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
            f"{-point.drop:+.2f}",
            style="bold" if is_chosen else None,
        )
    return table
