"""Tables of requantization that are made while the network runs, from a few bits per channel.

Mirror: struct esq_tiled in firmware/include/esq_streamed.h, esq_depthwise_tabled_dsp in
esq_dsp_ops.h.
"""

from collections.abc import Iterator
from dataclasses import replace

from edgesq.graph import Graph
from edgesq.integers import round_up
from edgesq.kernels.channels import ROW_BYTES
from edgesq.kernels.coded import tile_sizes
from edgesq.kernels.dsp import depthwise
from edgesq.kernels.dsp.endings import short_channels
from edgesq.kernels.kernel import CONV_PARTS, Form, Kernel, Tabled
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Conv2D, DepthwiseConv2D

_TILED_BYTES, _PARTS_BYTES = 28, 16
"""struct esq_tiled, esq_conv2d_parts."""

_DEPTHWISE_BYTES = 28
"""By which struct esq_depthwise_tabled_dsp exceeds esq_depthwise_dsp."""


def tabled_kernels(graph: Graph, item: RowOp, kernel: Kernel) -> Iterator[Kernel]:
    """Yield the ways to make an operator's table, whose weights lie in flash as they are."""
    if isinstance(item.op, DepthwiseConv2D):
        if kernel.pixels and depthwise.fits(graph, item.op):
            yield from _depthwise(graph, item.op, kernel)
        return
    conv = item.first
    if not isinstance(conv, Conv2D) or kernel.form is not Form.DIRECT:
        return
    channels = short_channels(graph, conv)
    structs = _TILED_BYTES + (0 if kernel.name == CONV_PARTS else _PARTS_BYTES)
    if channels and channels.saved_bytes > structs:
        rows, outputs = round_up(kernel.work_bytes, ROW_BYTES), graph.tensors[conv.output].hwc[2]
        for tile in tile_sizes(outputs):
            tabled = Tabled(tile, rows, channels.saved_bytes - structs)
            work_bytes = rows + tile * ROW_BYTES
            yield replace(kernel, name=CONV_PARTS, work_bytes=work_bytes, tabled=tabled)


def _depthwise(graph: Graph, op: DepthwiseConv2D, kernel: Kernel) -> Iterator[Kernel]:
    """Yield the same of a depthwise convolution, all of whose columns are set out per channel."""
    channels = depthwise.channels(graph, op)
    if channels is None:
        return
    outputs = graph.tensors[op.output].hwc[2]
    saved = outputs * depthwise.TABLE_BYTES - depthwise.tabled_bytes(channels) - _DEPTHWISE_BYTES
    if saved > 0:
        for tile in tile_sizes(outputs):
            tabled = Tabled(tile, kernel.work_bytes, saved)
            work_bytes = kernel.work_bytes + tile * depthwise.TABLE_BYTES
            yield replace(
                kernel, name="esq_run_depthwise_conv2d_tabled", work_bytes=work_bytes, tabled=tabled
            )
