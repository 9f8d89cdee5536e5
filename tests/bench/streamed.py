"""Compressed networks on the emulated M7: memory, exactness, and what decoding costs."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from bench.compressed import compressed_model, levels
from bench.imagenet import evaluation
from bench.measure import measure
from bench.tables import OUT
from edgesq.formats.tflite import read_graph
from edgesq.plan import Goal, PlanRequest, choose, plan_for
from edgesq.targets import load_target

BOARD, SMALL_BOARD = "mps2-an500", "stm32f405"
ON_BOARD = 3

RAM_GOALS = {"v1.1": 81_920, "v1.0": 131_072}
COST_GOALS = {"v1.1": 0.06, "v1.0": 0.09}


def streamed(name: str) -> dict[str, Any]:
    """Measure a version's compressed model, and the same weights as plain int8.

    Both plans are the fastest within the same RAM. Plain weights may grow for Winograd as usual, or
    stay the bytes they are.
    """
    content, _ = compressed_model(name)
    graph, board = read_graph(content), load_target(BOARD)
    images = levels(graph, evaluation()[0][:ON_BOARD])
    chosen = plan_for(graph, board, Goal.SPEED, RAM_GOALS[name])
    got = measure(content, images, chosen.plan, board)
    instructions = got.report.device.instructions or 0
    row = {
        "network": f"SqueezeNet {name}",
        "ram_bytes": got.ram_bytes,
        "ram_goal_bytes": RAM_GOALS[name],
        "flash_bytes": got.flash_bytes,
        "images_on_board": got.report.run.images,
        "differing_values": got.report.result.differing_values,
        "device_instructions": instructions,
        "cost_goal": COST_GOALS[name],
    }
    for key, room in (("cost", None), ("cost_without_growth", 0)):
        plain = choose(
            graph, PlanRequest(board.kernels, Goal.SPEED, chosen.request.limit_bytes, room)
        )
        took = measure(content, images[:1], plain.plan, board).report.device.instructions or 1
        row[key] = instructions / took - 1
    return row


def on_the_small_board(name: str) -> dict[str, Any]:
    """Flash and verify a version's compressed model on the emulated STM32F405."""
    content, _ = compressed_model(name)
    graph, board = read_graph(content), load_target(SMALL_BOARD)
    images = levels(graph, evaluation()[0][:1])
    got = measure(content, images, plan_for(graph, board).plan, board)
    return {
        "network": f"SqueezeNet {name}",
        "target": SMALL_BOARD,
        "ram_bytes": got.ram_bytes,
        "flash_bytes": got.flash_bytes,
        "differing_values": got.report.result.differing_values,
    }


def print_streamed() -> dict[str, Any]:
    """Print and return the figures of all versions."""
    rows = [streamed(name) for name in RAM_GOALS]
    OUT.print(boards_table(rows))
    found = {"boards": rows, "small_board": on_the_small_board("v1.1")}
    OUT.print(small_board_line(found), soft_wrap=True)
    return found


def boards_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return what the compressed networks take on the board."""
    table = Table(title=f"compressed, on {BOARD}", title_justify="left")
    for column in ("network", "whole RAM", "goal", "whole image", "differing values"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for column in ("instructions", "over int8", "goal", "over int8, no Winograd"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            row["network"],
            f"{row['ram_bytes']:,}",
            f"{row['ram_goal_bytes']:,}",
            f"{row['flash_bytes']:,}",
            f"{row['differing_values']} on {row['images_on_board']} images",
            f"{row['device_instructions']:,}",
            f"{row['cost']:+.1%}",
            f"{row['cost_goal']:+.0%}",
            f"{row['cost_without_growth']:+.1%}",
        )
    return table


def small_board_line(found: dict[str, Any]) -> str:
    """Return what the small board shows, as a sentence."""
    small = found["small_board"]
    return (
        f"{small['network']}, 1,000 classes, on {small['target']}: RAM {small['ram_bytes']:,} B, "
        f"flash {small['flash_bytes']:,} B, {small['differing_values']} differing values."
    )
