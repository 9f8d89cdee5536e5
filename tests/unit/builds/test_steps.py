"""The driver of an export: steps announced are the steps that run, in every kind of export."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgesq.builds import (
    Compression,
    CompressionFacts,
    ExportOptions,
    FirmwareOptions,
    Stage,
    compression,
)
from edgesq.builds.build import building_steps, improving_steps
from edgesq.builds.compression import compression_steps
from edgesq.builds.loading import loading_steps
from edgesq.builds.model import Kind
from edgesq.builds.optimize import Improved
from edgesq.builds.steps import Driver, Step
from edgesq.formats.tflite import read_graph
from edgesq.targets import load_target
from support.cases import NETWORKS
from support.stages import check_announced

HOST = load_target("host")


def ran(*lists: list[Step]) -> tuple[int, list[Stage]]:
    """Run lists of steps that count; return what they make of 0, and what was told."""
    stages: list[Stage] = []
    driver = Driver(stages.append)
    driver.announce(*lists)
    state = 0
    for steps in lists:
        state = driver.run(steps, state)
    return state, stages


def counting(name: str) -> Step:
    return Step(name, lambda count: count + 1)


def test_steps_are_told_before_they_run() -> None:
    state, stages = ran([counting("one"), counting("two")], [counting("three")])
    assert state == 3
    assert stages == [Stage(1, 3, "one"), Stage(2, 3, "two"), Stage(3, 3, "three")]
    check_announced(stages)


def test_a_step_that_is_not_needed_is_passed_over_and_counted() -> None:
    idle = replace(counting("idle"), is_needed=lambda count: count > 1)
    state, stages = ran([counting("one"), idle, counting("three")])
    assert (state, [(stage.number, stage.name) for stage in stages]) == (
        2,
        [(1, "one"), (3, "three")],
    )


def test_a_step_tells_what_it_is_at() -> None:
    stages: list[Stage] = []
    driver = Driver(stages.append)
    steps = [Step("look", lambda _: driver.tell("here"))]
    driver.announce(steps)
    driver.run(steps, None)
    assert [str(stage) for stage in stages] == ["look", "look: here"]
    check_announced(stages)


@pytest.mark.parametrize("kind", Kind)
def test_names_of_an_exports_steps_differ(kind: Kind, tmp_path: Path) -> None:
    plain = ExportOptions(None, None, HOST, tmp_path / "out")
    more = replace(plain, optimize_accuracy=1.0, compress=Compression(1000))
    counts = []
    for options in (plain, more):
        lists = (
            loading_steps(kind),
            improving_steps(options, kind, Driver(lambda _: None)),
            building_steps(options, kind),
        )
        names = [step.name for steps in lists for step in steps]
        assert len(names) == len(set(names))
        counts.append(len(names))
    # Looking for a more exact model takes the place of fitting a float one quickly.
    assert counts[1] == counts[0] + (not kind.is_float) + len(
        compression_steps(HOST, Compression(1000))
    )


def test_what_has_the_size_is_not_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        compression, "image_size", lambda *_: SimpleNamespace(bytes=900, chosen=None)
    )
    stages: list[Stage] = []
    driver = Driver(stages.append)
    steps = compression_steps(HOST, Compression(1000))
    driver.announce(steps)

    source: Any = SimpleNamespace(graph=read_graph(NETWORKS["fire"]()), tflite=None, name="fire")
    plain = Improved(source, FirmwareOptions(HOST, "model"))
    done = driver.run(steps, plain)
    assert done.compression == CompressionFacts(1000, 900)
    assert stages == [Stage(1, len(steps), "compile it as it is")]
