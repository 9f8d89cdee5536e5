"""Decide at export, to the byte, where every row lives and in which order operators run.

    Graph --lower--> row operators + slots --schedule--> steps, ring heights --arena--> offsets

Operators work on bands of rows: a ring keeps just the rows that windows still need. The schedule is
data, one byte a step, found here by simulation; the firmware replays it, so a ring can never be
overwritten too early on a board and no readiness is checked there.
"""

from edgesq.plan.channels import CHANNELS_PADDING, Channels, channel_fields, pack_channels
from edgesq.plan.depthwise import strip_blocks
from edgesq.plan.endings import MVE_QUAD, depthwise_ending, dsp_ends_short, mve_ends_short
from edgesq.plan.groups import group_count, group_graph
from edgesq.plan.lanes import WideLayer, dsp_pair_channels, wide_layers
from edgesq.plan.lower import Access, RowOp, Slot
from edgesq.plan.pieces import Item, Plan, covered_bytes
from edgesq.plan.planner import make_plan
from edgesq.plan.schedule import STEP_END, STEP_INPUT
from edgesq.plan.search import Candidate, Goal, choose, curve, judge
from edgesq.plan.streams import (
    Streamed,
    channels_bytes,
    has_stream_kernel,
    streamable,
    streams_save_bytes,
)
from edgesq.plan.tables import Tabled, short_tables
from edgesq.plan.work import (
    MVE_BLOCK,
    WINOGRAD_PIXELS,
    dsp_groups,
    dsp_slide,
    extra_weights_bytes,
    mve_blocks,
    mve_reads_in_place,
    mve_row_blocks,
    winograd_fits,
)

__all__ = [
    "CHANNELS_PADDING",
    "MVE_BLOCK",
    "MVE_QUAD",
    "STEP_END",
    "STEP_INPUT",
    "WINOGRAD_PIXELS",
    "Access",
    "Candidate",
    "Channels",
    "Goal",
    "Item",
    "Plan",
    "RowOp",
    "Slot",
    "Streamed",
    "Tabled",
    "WideLayer",
    "channel_fields",
    "channels_bytes",
    "choose",
    "covered_bytes",
    "curve",
    "depthwise_ending",
    "dsp_ends_short",
    "dsp_groups",
    "dsp_pair_channels",
    "dsp_slide",
    "extra_weights_bytes",
    "group_count",
    "group_graph",
    "has_stream_kernel",
    "judge",
    "make_plan",
    "mve_blocks",
    "mve_ends_short",
    "mve_reads_in_place",
    "mve_row_blocks",
    "pack_channels",
    "short_tables",
    "streamable",
    "streams_save_bytes",
    "strip_blocks",
    "wide_layers",
    "winograd_fits",
]
