"""Pictures of plans, made of what the planner tried."""

import pytest

from edgesq.builds import plan_picture
from edgesq.choices import Goal
from edgesq.formats.tflite import read_graph
from edgesq.plan import PlanRequest, choose, curve
from support.cases import NETWORKS


@pytest.mark.parametrize("goal", list(Goal))
def test_plans_that_were_tried_have_labels_too(goal: Goal) -> None:
    graph = read_graph(NETWORKS["every_operator"]())
    chosen = choose(graph, PlanRequest("portable", goal))
    known = plan_picture(curve(graph, "portable", chosen.tried), chosen, goal)
    anew = plan_picture(curve(graph, "portable"), chosen, goal)
    assert known.file() == anew.file()
    assert f"this build: {goal.value}" in str(known)
    assert "whole maps" in str(known)
