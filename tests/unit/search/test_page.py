"""The page of a study: figures to rest the pointer on, the paper's curves, and nothing to fetch."""

from dataclasses import replace

import pytest

from edgesq.search.front import front
from edgesq.search.page import page
from edgesq.search.records import (
    Limits,
    Needed,
    Outcome,
    Row,
    Settings,
    StudyDocument,
    Training,
)
from edgesq.targets import load_target

SETTINGS = Settings(
    data="photos",
    data_sha256="0" * 64,
    classes=("cat", "dog"),
    channels=3,
    sides=(32,),
    target="stm32f405",
    limits=Limits(flash_bytes=262_144, ms=40.0),
    space=None,
    space_file=None,
    training=Training(epochs=5, seed=1, mirror=False, threads=1),
    storage=None,
    name="edgesq study",
)


def trained(number: int, ratio: float, flash: int, accuracy: float) -> Row:
    needed = Needed(9_000 + number, flash, 5_000, 1_000_000, 12.5, is_linked=True)
    outcome = Outcome("trained", needed, {"flash": -0.1}, "", needed, accuracy, 40, (accuracy,))
    return Row(number, {"squeeze_ratio": ratio, "pct_3x3": 0.5}, outcome)


def document(*rows: Row) -> StudyDocument:
    return StudyDocument(
        settings=SETTINGS, rows=rows, front=front(rows), importance={"squeeze_ratio": 0.75}
    )


def test_it_shows_the_front_and_the_curve() -> None:
    found = document(
        trained(0, 0.125, 90_000, 0.8), trained(1, 0.5, 120_000, 0.9), trained(2, 0.5, 130_000, 0.7)
    )
    assert found.front == (1, 0)
    text = page(found, load_target("stm32f405"))
    assert text.count("<svg") == 4  # three fronts, and the curve of squeeze ratios alone
    assert "The best network of each squeeze ratio" in text
    assert "trial 1: 90.0%, flash 120,000 B, RAM 9,001 B, 1 M instructions" in text
    assert "the linker's" in text.replace("&#39;", "'")
    assert "75.0%" in text
    assert "http" not in text.replace("http-equiv", "").replace("xmlns", "")


def test_networks_of_other_metaparameters() -> None:
    """A space of one's own may ask for one where another has a certain value."""
    rows = trained(0, 0.125, 90_000, 0.8), trained(1, 0.5, 120_000, 0.9)
    text = page(
        document(rows[0], replace(rows[1], params={"<b>": "<i>"})), load_target("stm32f405")
    )
    for name in ("squeeze_ratio", "pct_3x3", "&lt;b&gt;"):
        assert f"<th>{name}</th>" in text
    assert "<td></td><td></td><td>&lt;i&gt;</td></tr>" in text
    assert "<td>0.125</td><td>0.5</td><td></td></tr>" in text


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_networks_that_are_all_alike(accuracy: float) -> None:
    text = page(document(trained(0, 0.125, 90_000, accuracy)), load_target("stm32f405"))
    assert text.count("<svg") == 3


def test_nothing_fits_or_all_fail() -> None:
    failed = Row(0, {"squeeze_ratio": 0.5}, Outcome("failed", why="<script>alert(1)</script>"))
    text = page(document(failed), load_target("stm32f405"))
    assert "<script>" not in text
    assert "alert(1)" in text
    assert 'id="front"' not in text
