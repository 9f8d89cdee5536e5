"""Instructions that a board counted, found again in the last report of a build."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgesq.builds import VERIFY_IMAGES, VERIFY_REPORT, ExportReport, read_report
from edgesq.verify import VerifyReport
from edgesq.verify.memory import measured
from edgesq.verify.profile import OperatorProfile
from support.builds import light_build
from support.verify_runs import CONTENT, SHAPE, PretendedClient, altered, facts, run


@pytest.fixture
def build(tmp_path: Path) -> Path:
    images = np.random.default_rng(0).integers(-128, 128, (4, *SHAPE), np.int8)
    return light_build(tmp_path / "build", "host", CONTENT, images)


def profiled(build: Path, said: ExportReport, count: int | None = 1000) -> VerifyReport:
    """Return a report of a run that counted `count` instructions for the first operator."""
    rows = tuple(
        OperatorProfile(
            *(operator.name, operator.kind, operator.function, 1, 7.0, 3.0),
            None if count is None else count + number,
            0.5,
        )
        for number, operator in enumerate(said.firmware.operators)
    )
    report = run(facts(build, build / VERIFY_IMAGES), client=PretendedClient())
    report = altered(report, run__model_sha256=said.model.sha256)
    return replace(report, profile=rows)


def test_the_last_profile_of_this_build(build: Path) -> None:
    said = read_report(build)
    assert measured(build, said) is None
    report = profiled(build, said)
    report.write_json(build / VERIFY_REPORT)
    count = len(said.firmware.operators)
    assert measured(build, said) == tuple(range(1000, 1000 + count))


def test_a_profile_of_something_else_is_none(build: Path) -> None:
    said = read_report(build)
    report = profiled(build, said)
    rows = report.profile
    assert rows
    others = (
        altered(report, run__model_sha256="0" * 64),
        replace(report, profile=rows[:-1]),
        replace(report, profile=(replace(rows[0], function="esq_other"), *rows[1:])),
        profiled(build, said, None),
        replace(report, profile=None),
    )
    for other in others:
        other.write_json(build / VERIFY_REPORT)
        assert measured(build, said) is None
    (build / VERIFY_REPORT).write_text("{")
    assert measured(build, said) is None
