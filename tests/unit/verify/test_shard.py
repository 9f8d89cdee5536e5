"""One set of images over several boards, some slow, some that go away."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from edgesq.errors import BoardError, ImageError
from edgesq.link.client import Client, Inference
from edgesq.verify import VerifyReport, read_json
from edgesq.verify import shard as shard_module
from edgesq.verify.oracle import Oracle, expecting
from edgesq.verify.resume import Keeper, resumed
from edgesq.verify.shard import Board, Shards
from edgesq.verify.stream import Streaming
from edgesq.verify.summary import Facts
from edgesq.verify.tally import Tally
from edgesq.verify.workers import Beside
from support.verify_runs import (
    PretendedClient,
    altered,
    check_schema,
    facts,
    make_images,
    reference,
)

LIMIT_S = 20.0
COUNT = 60
BY_SESSION = (
    *("link__port", "run__seconds", "link__bytes_per_s", "link__line_share", "link__sent_share"),
    *("link__sent_bytes", "link__pace"),
)

ANSWER = Inference(
    outputs=(),
    ticks=7,
    stack_bytes=0,
    arena_bytes=0,
    retries=0,
    resets=0,
    sent_bytes=1,
    wire_bytes=1,
    baud=115_200,
    seconds=99.0,
)


class PretendedBoard:
    """Answers with the image itself.

    Args:
        before: called with the images answered so far, before each answer; may wait or raise.
    """

    def __init__(self, before: Callable[[int], None] = lambda _: None, ahead: int = 1) -> None:
        self.before = before
        self.ahead = ahead
        self.answered: list[bytes] = []

    def set_baud(self, _: int | None) -> None:
        """Stay at any rate."""

    def stream(self, images: Iterable[bytes], *, ahead: bool) -> Generator[Inference, None, None]:
        del ahead
        held: list[bytes] = []
        source = iter(images)
        while True:
            while len(held) <= self.ahead and (image := next(source, None)) is not None:
                held.append(image)
            if not held:
                return
            self.before(len(self.answered))
            self.answered.append(held[0])
            yield replace(ANSWER, outputs=(np.frombuffer(held.pop(0), np.int8),))


def shards(*clients: object, info: Any = None) -> Shards:
    return Shards(
        [
            Board(f"port{place}", cast(Client, client), info, True, None, lambda: None)
            for place, client in enumerate(clients)
        ]
    )


def numbered(count: int) -> list[bytes]:
    return [number.to_bytes(4, "little") for number in range(count)]


def results(inferences: Iterable[Inference]) -> list[bytes]:
    return [inference.outputs[0].tobytes() for inference in inferences]


def waiting(event: threading.Event) -> None:
    assert event.wait(LIMIT_S)


def dying(at: int, event: threading.Event | None = None) -> Callable[[int], None]:
    """Die at an answer, once `event` has come."""

    def before(answered: int) -> None:
        if answered == at:
            if event is not None:
                waiting(event)
            raise BoardError("went away", where="cable", hint="look")

    return before


def announcing(event: threading.Event, at: int) -> Callable[[int], None]:
    def before(answered: int) -> None:
        if answered == at:
            event.set()

    return before


# --- who computes what ---


@pytest.mark.parametrize("boards", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 3, 400])
def test_every_image_once_and_in_order(boards: int, count: int) -> None:
    clients = [PretendedBoard() for _ in range(boards)]
    assert results(shards(*clients).stream(numbered(count))) == numbered(count)
    assert sorted(image for client in clients for image in client.answered) == sorted(
        numbered(count)
    )


def test_a_slow_board_gets_less() -> None:
    event = threading.Event()
    slow = PretendedBoard(lambda _: waiting(event))
    fast = PretendedBoard(announcing(event, 97))
    assert results(shards(slow, fast).stream(numbered(100))) == numbered(100)
    assert 1 <= len(slow.answered) <= 3
    assert len(slow.answered) + len(fast.answered) == 100


@pytest.mark.parametrize("at", [0, 1, 10])
def test_what_a_dead_board_held_goes_to_the_others(at: int) -> None:
    dead, one, two = PretendedBoard(dying(at)), PretendedBoard(), PretendedBoard()
    boards = shards(dead, one, two)
    got = list(boards.stream(numbered(200)))
    assert results(got) == numbered(200)
    assert len(dead.answered) <= at
    assert len(dead.answered) + len(one.answered) + len(two.answered) == 200
    by_port = [sum(one.port == f"port{place}" for one in got) for place in range(3)]
    assert by_port == [len(board.answered) for board in (dead, one, two)]


def test_a_board_that_dies_last_leaves_its_images_to_one_that_was_done() -> None:
    others_are_done = threading.Event()
    dead = PretendedBoard(dying(0, others_are_done))
    other = PretendedBoard(announcing(others_are_done, 17))
    assert results(shards(dead, other).stream(numbered(20))) == numbered(20)
    assert (len(dead.answered), len(other.answered)) == (0, 20)


def test_all_boards_go_away() -> None:
    boards = shards(PretendedBoard(dying(5)), PretendedBoard(dying(9)))
    got: list[Inference] = []
    with pytest.raises(BoardError, match=r"all 2 boards are gone: cable: went.*cable.*--resume"):
        got.extend(boards.stream(numbered(100)))
    assert results(got) == numbered(len(got))
    assert 1 <= len(got) <= 14


def test_the_others_wait_for_a_board_that_is_far_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_module, "_MAX_AHEAD", 8)
    event = threading.Event()
    slow, fast = PretendedBoard(lambda _: waiting(event), ahead=0), PretendedBoard()
    boards = shards(slow, fast)

    def images() -> Iterator[bytes]:
        for number, image in enumerate(numbered(50)):
            if number == 7:  # the last that may be taken while image 0 or 1 is not answered
                event.set()
            yield image

    assert results(boards.stream(images())) == numbered(50)
    assert slow.answered


def test_what_taking_an_image_raises() -> None:
    def images() -> Iterator[bytes]:
        yield from numbered(10)
        raise ImageError("torn")

    with pytest.raises(ImageError, match="torn"):
        list(shards(PretendedBoard(), PretendedBoard()).stream(images()))


def test_a_bug_is_raised_where_it_was_called() -> None:
    def before(_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(shards(PretendedBoard(before), PretendedBoard()).stream(numbered(10)))


def test_a_run_that_is_left_ends_its_threads() -> None:
    running_before = threading.active_count()
    left = threading.Event()
    stuck = Board(
        "stuck",
        cast(Client, PretendedBoard(lambda _: waiting(left))),
        cast(Any, None),
        True,
        None,
        left.set,
    )
    other = Board(
        "other", cast(Client, PretendedBoard()), cast(Any, None), True, None, lambda: None
    )
    stream = Shards([other, stuck]).stream(numbered(1000))
    next(stream)
    stream.close()
    assert left.is_set()
    assert threading.active_count() == running_before


# --- the report ---


class Measured(PretendedClient):
    """As all pretended boards; goes away after some images."""

    def __init__(self, most: int = 1 << 30) -> None:
        super().__init__(lambda mark: mark % 5 == 0)
        self.most = most

    def set_baud(self, _: int | None) -> None:
        """Stay at any rate."""

    def stream(
        self, images: Iterable[bytes], *, ahead: bool = True
    ) -> Generator[Inference, None, None]:
        for inference in super().stream(images, ahead=ahead):
            if not self.most:
                raise BoardError("went away", where="cable")
            self.most -= 1
            yield inference


@pytest.fixture
def noise(tmp_path: Path) -> Facts:
    return facts(tmp_path, make_images(tmp_path / "noise.npz", COUNT))


def with_boards(noise: Facts, *clients: Measured, **changes: Any) -> Facts:
    made = shards(*clients, info=noise.info)
    last = replace(made.boards[-1], info=replace(noise.info, **changes))
    return replace(noise, shards=Shards([*made.boards[:-1], last]))


def run(run_facts: Facts, path: Path | None = None) -> VerifyReport:
    tally = Tally()
    if path is not None:
        tally, _ = resumed(path, run_facts.report(tally), run_facts.forms)
    beside = Beside(expecting(Oracle("numpy reference", reference), run_facts.peers))
    assert run_facts.shards is not None
    Streaming(run_facts, beside, tally, Keeper(path)).run(run_facts.shards.stream, None)
    return run_facts.report(tally)


def same_in_all(report: VerifyReport) -> VerifyReport:
    """Return what does not depend on who shared."""
    return replace(altered(report, **dict.fromkeys(BY_SESSION)), boards=())


def test_the_report_of_several_boards_equals_that_of_one(noise: Facts) -> None:
    one = run(with_boards(noise, Measured()))
    several = run(with_boards(noise, Measured(), Measured(4), Measured()))
    assert same_in_all(several) == same_in_all(one)
    assert not one.is_exact
    assert sum(row.images for row in several.boards) == several.run.images == COUNT
    assert sum(row.retries for row in several.boards) == several.link.retries > 0
    gone = several.boards[1]
    if gone.state == "gone":  # it may never have got a fifth image
        assert (gone.images, gone.error) == (4, "cable: went away")
    assert {row.state for row in several.boards} <= {"finished", "gone"}
    check_schema(several)


def test_a_run_whose_boards_all_went_away_goes_on(noise: Facts, tmp_path: Path) -> None:
    path = tmp_path / "verify.json"
    with pytest.raises(BoardError, match="all 2 boards are gone"):
        run(with_boards(noise, Measured(20), Measured(11)), path)
    partial = read_json(path)
    assert partial.resume is not None
    check_schema(partial)
    assert not partial.run.complete
    assert 20 < partial.run.images <= 31
    assert [row.state for row in partial.boards] == ["gone", "gone"]
    assert sum(row.images for row in partial.boards) == partial.run.images

    whole = run(with_boards(noise, Measured()), path)
    assert same_in_all(whole) == same_in_all(run(with_boards(noise, Measured(), Measured())))
    assert [row.state for row in whole.boards] == ["finished", "earlier"]
    assert sum(row.images for row in whole.boards) == COUNT
    assert read_json(path) == whole


def test_times_of_different_boards_are_not_mixed(noise: Facts) -> None:
    report = run(with_boards(noise, Measured(20), Measured(), board="slow", tick_hz=1000))
    assert (report.device.us, report.device.us_p95) == (None, None)
    assert report.device.instructions is None
    assert report.device.board == "bench7; slow"
    one, two = report.boards
    assert [one.board, two.board] == ["bench7", "slow"]
    assert two.device_us is not None
    if one.device_us is not None:  # a fast one may have had all
        assert one.device_us < two.device_us
    check_schema(report)
