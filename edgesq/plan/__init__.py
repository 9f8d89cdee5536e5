"""Decide at export, to the byte, where every row lives and in which order operators run.

    Graph, Bands --lower--> row operators, slots --schedule--> steps, blocks
                 --variants--> a kernel for each operator --packing or filling--> offsets: Plan

Operators work on bands of rows: a ring keeps just the rows that windows still need. The schedule is
data, one byte a step, found here by simulation; the firmware replays it, so a ring can never be
overwritten too early on a board and no readiness is checked there.
"""

from edgesq.choices import Goal
from edgesq.plan.allocation import Plan, covered_bytes
from edgesq.plan.costs import OperatorCost, operator_costs
from edgesq.plan.fit import (
    FlashParts,
    check_tflm_fits,
    flash_parts,
    least_flash_bytes,
    needs,
    plan_for,
)
from edgesq.plan.fits import Fit, fits
from edgesq.plan.lower import can_be
from edgesq.plan.planner import make_plan
from edgesq.plan.request import Bands, Fusion, PlanRequest
from edgesq.plan.schedule import (
    CODED_END,
    CODED_FAR,
    CODED_INPUT,
    STEP_END,
    STEP_INPUT,
    coded_steps,
)
from edgesq.plan.search import Candidate, choose, curve, judge

__all__ = [
    "CODED_END",
    "CODED_FAR",
    "CODED_INPUT",
    "STEP_END",
    "STEP_INPUT",
    "Bands",
    "Candidate",
    "Fit",
    "FlashParts",
    "Fusion",
    "Goal",
    "OperatorCost",
    "Plan",
    "PlanRequest",
    "can_be",
    "check_tflm_fits",
    "choose",
    "coded_steps",
    "covered_bytes",
    "curve",
    "fits",
    "flash_parts",
    "judge",
    "least_flash_bytes",
    "make_plan",
    "needs",
    "operator_costs",
    "plan_for",
]
