"""`edgesq plan`, and which boards a model fits: numbers are those of the export."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from edgesq.builds import load_graph, read_report
from edgesq.errors import FitError
from edgesq.formats.tflite import read_graph
from edgesq.plan import (
    Goal,
    PlanRequest,
    choose,
    curve,
    flash_parts,
    make_plan,
    needs,
    plan_for,
)
from edgesq.project import Sizes
from edgesq.targets import Region, load_target
from support.builds import done, refused
from support.cases import NETWORKS
from support.ladder import LadderModels, shared_model

pytestmark = pytest.mark.slow


@pytest.fixture
def model(tmp_path: Path, ladder_models: LadderModels) -> Path:
    path = tmp_path / "demo.tflite"
    path.write_bytes(ladder_models["demo"].tflite)
    return path


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, text
    return int(found[1].replace(",", ""))


def test_plan_announces_what_export_links(model: Path, tmp_path: Path) -> None:
    said = done("plan", model, "--target", "stm32f405", cwd=tmp_path)
    done("export", model, "--target", "stm32f405", "--out", "build", cwd=tmp_path)
    report = read_report(tmp_path / "build")
    assert number(r"Arena ([\d,]+) B", said) == report.firmware.arena_bytes
    linked = Sizes(number(r"flash +([\d,]+)", said), number(r"ram +([\d,]+)", said))
    assert linked == report.sizes
    assert (tmp_path / "build" / "plan.svg").read_text().startswith("<svg")


def test_plan_shows_every_operator_and_draws(model: Path, tmp_path: Path) -> None:
    picture = tmp_path / "curve.svg"
    said = done("plan", model, "--picture", picture, cwd=tmp_path)
    graph = load_graph(model, lambda _: None)
    assert all(op.name in said for op in graph.ops if op.kind in ("CONV_2D", "MAX_POOL_2D"))
    assert "whole maps" in said
    assert picture.read_text().startswith("<svg")


def test_a_limit_that_is_too_low_is_refused_with_the_bytes(model: Path, tmp_path: Path) -> None:
    refused(2, "needs [0-9]+ B of ram .* 4000 B are allowed", "plan", model, "--ram-limit", "4000")
    done("plan", model, "--ram-limit", "20000", cwd=tmp_path)


def test_fits_says_by_how_much(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    path.write_bytes(shared_model("squeezenet_v1.1_1000c_224"))
    said = done("targets", "--fits", path, cwd=tmp_path)
    assert re.search(r"mps2-an500 +yes +[\d,]+ +[\d,]+", said)
    assert re.search(r"stm32f405 +no +-[\d,]+ +[\d,]+", said)


def test_goals_keep_their_word(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(NETWORKS["every_operator"]())
    graph = load_graph(path, lambda _: None)
    smallest = choose(graph, PlanRequest("portable", Goal.RAM))
    fastest = choose(graph, PlanRequest("portable", Goal.SPEED))
    limit = (smallest.plan.arena_bytes + fastest.plan.arena_bytes) // 2
    limited = choose(graph, PlanRequest("portable", Goal.SPEED, limit))
    balanced = choose(graph, PlanRequest("portable", Goal.BALANCED))
    assert fastest.instructions <= limited.instructions <= smallest.instructions
    assert fastest.instructions < smallest.instructions
    assert limited.plan.arena_bytes <= limit
    assert fastest.instructions <= balanced.instructions
    assert balanced.plan.arena_bytes <= fastest.plan.arena_bytes
    assert all(
        smallest.plan.arena_bytes <= one.plan.arena_bytes for one in curve(graph, "portable")
    )
    assert choose(graph, PlanRequest("portable", Goal.SPEED, limit)).bands == limited.bands


def test_weights_do_not_grow_where_flash_is_short() -> None:
    graph = read_graph(shared_model("squeezenet_v1.1_10c_96"))
    target = load_target("mps2-an500")
    roomy = needs(graph, plan_for(graph, target, Goal.SPEED).plan, target)["flash"]
    small = choose(graph, PlanRequest(target.kernels, Goal.SPEED, growth_bytes=0))
    lean = needs(graph, small.plan, target)["flash"]
    assert lean < roomy
    short = replace(target, memory=(Region("flash", 0, lean), Region("ram", 1 << 29, 1 << 20)))
    assert plan_for(graph, short, Goal.SPEED).request.growth_bytes == 0
    least = flash_parts(graph, small.plan, target).least_bytes
    shorter = replace(short, memory=(Region("flash", 0, least - 1), short.memory[1]))
    with pytest.raises(FitError, match=rf"needs {lean} B of flash .* has {least - 1} B"):
        plan_for(graph, shorter, Goal.SPEED)


def test_the_reserve_is_left_to_the_application(ladder_models: LadderModels) -> None:
    graph = read_graph(ladder_models["demo"].tflite)
    target = load_target("stm32f405")
    assert target.reserve_bytes > 0
    plan = plan_for(graph, target, Goal.SPEED).plan
    ram = target.region("ram")
    assert ram is not None
    assert plan.arena_bytes + target.stack_bytes + target.reserve_bytes <= ram.bytes
    assert make_plan(graph).arena_bytes <= plan.arena_bytes
