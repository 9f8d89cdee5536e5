"""Tables of requantization that are made while the network runs, from a few bits per channel.

Mirror: struct esq_tiled in firmware/include/esq_streamed.h.
"""

from collections.abc import Iterator
from dataclasses import replace

from edgesq.graph import Graph
from edgesq.integers import round_up
from edgesq.kernels.channels import ROW_BYTES
from edgesq.kernels.coded import tile_sizes
from edgesq.kernels.dsp.endings import short_channels
from edgesq.kernels.kernel import Form, Kernel, Tabled
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Conv2D

_STRUCT_BYTES = 20


def tabled_kernels(graph: Graph, item: RowOp, kernel: Kernel) -> Iterator[Kernel]:
    """Yield the ways to make an operator's table, whose weights lie in flash as they are."""
    op = item.op
    if not isinstance(op, Conv2D) or kernel.form is Form.WINOGRAD:
        return
    channels = short_channels(graph, op)
    if channels is None or (saved := channels.saved_bytes - _STRUCT_BYTES) <= 0:
        return
    rows = round_up(kernel.work_bytes, ROW_BYTES)
    for tile in tile_sizes(graph.tensors[op.output].hwc[2]):
        tabled = Tabled(tile, rows, saved)
        yield replace(kernel, work_bytes=rows + tile * ROW_BYTES, tabled=tabled)
