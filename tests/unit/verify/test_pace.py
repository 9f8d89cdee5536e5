"""How long a run will take, and where its time went."""

from dataclasses import replace
from pathlib import Path

import pytest

from edgesq.link.baud import RateOutcome
from edgesq.link.info import BoardInfo
from edgesq.verify.facts import PaceFacts
from edgesq.verify.pace import outlook, pace, rate_words
from edgesq.verify.tally import Tally, Ticks
from support.verify_runs import facts, make_images


@pytest.fixture
def info(tmp_path: Path) -> BoardInfo:
    """Return what a real board says that takes images of 150,528 bytes."""
    known = facts(tmp_path, make_images(tmp_path / "noise.npz", 1)).info
    return replace(known, input_shape=(224, 224, 3), max_payload=496, board="nucleo-h743zi")


def tally_of(seconds: float, waited: float, computed: float, line: float) -> Tally:
    ticks = [round(computed * 1e6 / 10)] * 10
    return Tally(
        images=10, ticks=Ticks(ticks), seconds=seconds, waited_s=waited, sent_s=line, baud=115_200
    )


def test_a_real_line_is_known_by_its_rate(info: BoardInfo) -> None:
    found = outlook(100, [info], 115_200, None, may_rise=True)
    assert found.seconds == pytest.approx(100 * 150_528 * 507 / 488 * 10 / 115_200)
    assert str(found) == (
        "100 images of 150,528 B, 15.1 MB: at most 23 min on the line at 115,200 baud, "
        "and what the board computes; --baud auto looks for a faster rate"
    )
    assert outlook(100, [info] * 2, 115_200, None, may_rise=True).seconds == found.seconds / 2


def test_no_hint_where_nothing_would_help(info: BoardInfo) -> None:
    assert outlook(9, [info], 921_600, None, may_rise=False).hint is None
    emulated = replace(info, board="mps2-an500")
    found = outlook(9, [emulated], 115_200, 100_000.0, may_rise=True)
    assert str(found) == (
        "9 images of 150,528 B, 1.4 MB: at most 14 s as fast as the board takes them, "
        "and what the board computes"
    )


def words(info: BoardInfo, tally: Tally, *tried: tuple[str, int, RateOutcome]) -> PaceFacts:
    return pace(tally, [info], tried)


def test_the_line_is_the_bound(info: BoardInfo) -> None:
    found = words(info, tally_of(seconds=100, waited=98, computed=10, line=90))
    assert (found.bound, found.line, found.board) == ("line", 0.9, 0.1)
    assert found.image_bytes_per_s == pytest.approx(15_052.8)
    assert found.why == (
        "the line at 115,200 baud was busy for 90%, the board computed for 10%, "
        "this computer took 2% of the time; --baud auto looks for a faster rate"
    )


def test_a_refused_rate_is_named(info: BoardInfo) -> None:
    tried = (("a", 3_000_000, RateOutcome.BOARD), ("a", 921_600, RateOutcome.LINE))
    found = words(info, tally_of(seconds=100, waited=98, computed=10, line=90), *tried)
    assert "--baud" not in found.why
    assert [rate_words(rate) for rate in found.rates] == [
        "3,000,000: the board does not hold it",
        "921,600: the line does not hold it",
    ]


def test_the_board_is_the_bound(info: BoardInfo) -> None:
    found = words(info, tally_of(seconds=100, waited=99, computed=80, line=18))
    assert (found.bound, found.board) == ("board", 0.8)
    assert found.why.startswith("the board computed for 80%, the line")


def test_an_emulated_boards_counter_is_no_clock(info: BoardInfo) -> None:
    emulated = replace(info, board="mps2-an500")
    found = words(emulated, tally_of(seconds=100, waited=95, computed=1000, line=500))
    assert (found.bound, found.line) == ("board", None)
    assert found.board == pytest.approx(0.95)
    assert found.why == "the emulated board took 95%, this computer took 5% of the time"


def test_this_computer_is_the_bound(info: BoardInfo) -> None:
    host = replace(info, board="host")
    found = words(host, tally_of(seconds=10, waited=1, computed=1, line=5))
    assert (found.bound, found.line) == ("computer", None)
    assert found.computer == pytest.approx(0.9)


def test_nothing_is_known_before_the_first_image(info: BoardInfo) -> None:
    found = words(info, Tally())
    assert (found.bound, found.line, found.board, found.image_bytes_per_s) == (None, None, None, 0)
