"""What a build shows as tables, on the command line and in a notebook."""

from edgesq.builds import ExportReport
from edgesq.builds.facts import ParityFacts
from edgesq.markup import Cell, Shown, Table


def sizes(report: ExportReport) -> Table:
    """Return what a build takes on its target."""
    image, model, firmware = report.sizes, report.model, report.firmware
    taken = {
        "flash, whole firmware": None if image is None else image.flash_bytes,
        "weights of the model": model.weights_bytes,
        "RAM, whole firmware": None if image is None else image.ram_bytes,
        "  of it arena": firmware.arena_bytes,
        "multiply-accumulates per image": model.macs,
    }
    rows = tuple(
        (name, "not compiled" if value is None else f"{value:,}") for name, value in taken.items()
    )
    return Table(f"{model.name} on {firmware.target}", ("what",), ("bytes",), rows)


def parity(compared: ParityFacts) -> Table:
    """Return how every form of the model compares with BUILTIN_REF."""
    rows: list[tuple[Cell, ...]] = []
    for row in compared.rows:
        if row.differing is None:
            rows.append((row.name, row.note))
            continue
        cells = (
            row.name,
            f"{row.images:,}",
            f"{row.values:,}",
            Shown("0", "green") if row.differing == 0 else f"{row.differing:,}",
            str(row.max_lsb),
            "" if row.top1_agreement is None else f"{row.top1_agreement:.1%}",
        )
        rows.append(cells)
    return Table(
        f"against TFLite's reference kernels, on {compared.images}",
        ("form",),
        ("images", "values", "differing", "max LSB", "same top-1"),
        tuple(rows),
    )
