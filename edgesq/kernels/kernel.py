"""What is decided once per operator: how it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Streamed:
    """How an operator's weights are decoded.

    Attributes:
        tile: output channels decoded together, then used for all rows of a band.
        table_bits: index into the table of codes.
        table_offset, rows_offset, weights_offset: bytes into the operator's working memory of the
            table of codes, of the tile's requantization, and of its weights.
        channel_bytes: of the weights, as the kernel family packs them.
        kernel_rows: of a channel, decoded together where Winograd transforms them; else 0.
        has_masks: whether the stream has masks, whose table stands behind that of codes.
    """

    tile: int
    table_bits: int
    table_offset: int
    rows_offset: int
    weights_offset: int
    channel_bytes: int
    kernel_rows: int = 0
    has_masks: bool = False


@dataclass(frozen=True)
class Tabled:
    """How an operator's table is made.

    Attributes:
        tile: output channels whose part of the table is there together.
        rows_offset: bytes into the operator's working memory.
    """

    tile: int
    rows_offset: int
