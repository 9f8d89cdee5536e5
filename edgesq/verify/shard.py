"""One set of images over several boards: each takes the next image when it is free.

A thread per board talks to it. What a board held when it went away goes to the others; every image
is answered once. Results come out in the images' order, whichever board was first.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from edgesq.errors import BoardError
from edgesq.link.client import Client, Inference
from edgesq.link.info import BoardInfo
from edgesq.verify.cores import us_per_tick
from edgesq.verify.facts import BoardShare
from edgesq.verify.tally import Share

_MAX_AHEAD = 256
"""Images between the first that is not answered and the last that a board took."""

_Sequence = tuple[int, tuple[bytes, ...]]
"""Number of its first image, and its images; of a model without state one image."""


class _Held:
    """What a board has taken and not finished: whole sequences, in their order."""

    def __init__(self) -> None:
        self.sequences: deque[_Sequence] = deque()
        self._answered = 0  # of the first sequence

    def answer(self) -> int:
        """Return the number of the image that was answered: the next one."""
        first, images = self.sequences[0]
        number = first + self._answered
        self._answered += 1
        if self._answered == len(images):
            self.sequences.popleft()
            self._answered = 0
        return number


@dataclass(frozen=True)
class Board:
    """A board with an open session.

    Attributes:
        port: as the user named it.
        client: talks to it.
        info: what it said of itself.
        ahead: whether images may be sent while it computes.
        baud: bits per second to go to; None for the fastest.
        leave: makes its client end soon, from another thread.
    """

    port: str
    client: Client
    info: BoardInfo
    ahead: bool
    baud: int | None
    leave: Callable[[], None]

    def set_baud(self) -> None:
        """Take the line to the rate wanted; a board waits there for two seconds at most.

        Raises:
            BoardError: silent or gone.
        """
        self.client.set_baud(self.baud)

    def stream(self, images: Iterable[bytes]) -> Generator[Inference, None, None]:
        """Have this board compute images; see `Client.stream`."""
        return self.client.stream(images, ahead=self.ahead)


class Shards:
    """Boards that share one set of images, once.

    Args:
        boards: at least one, all with the same model.
        silent: ports where no board answered, and why.
        steps: images of a sequence, which one board computes; a lost board's is begun anew.

    Attributes:
        boards: as given.
    """

    def __init__(
        self,
        boards: Sequence[Board],
        silent: Mapping[str, BoardError] | None = None,
        steps: int = 1,
    ) -> None:
        self.boards = tuple(boards)
        self._steps = steps
        self._silent = dict(silent or {})
        self._change = threading.Condition()  # guards all that follows
        self._images: Iterator[bytes] = iter(())
        self._returned: list[_Sequence] = []
        self._done: dict[int, Inference] = {}  # by image
        self._gone: dict[str, BoardError] = {}  # by port
        self._taken = self._answered = self._yielded = 0
        self._has_ended = False  # no more images
        self._is_stopped = False
        self._failure: Exception | None = None

    def stream(self, images: Iterable[bytes]) -> Generator[Inference, None, None]:
        """Have the boards compute images; yield one result for each, in their order.

        A result's seconds are those since the one before, of whichever board.

        Raises:
            BoardError: all boards are gone.
            Exception: what taking an image raised.
        """
        self._images = iter(images)
        threads = [
            threading.Thread(target=self._work, args=(board,), daemon=True) for board in self.boards
        ]
        for thread in threads:
            thread.start()
        before = time.monotonic()
        try:
            while (inference := self._next()) is not None:
                now = time.monotonic()
                yield replace(inference, seconds=now - before)
                before = now
        finally:
            self._stop()
            for thread in threads:
                thread.join()

    def rows(self, shares: Mapping[str, Share], *, complete: bool) -> tuple[BoardShare, ...]:
        """Return what each board did, those that never answered and of earlier sessions last.

        Args:
            shares: by port.
            complete: whether all images are done.
        """
        with self._change:
            gone = dict(self._gone)
        rows = [
            _row(
                board.port,
                board.info,
                shares.get(board.port, Share()),
                "gone" if board.port in gone else "finished" if complete else "at work",
                str(gone[board.port]) if board.port in gone else None,
            )
            for board in self.boards
        ]
        rows += [
            _row(port, None, shares.get(port, Share()), "gone", str(error))
            for port, error in self._silent.items()
        ]
        earlier = shares.keys() - {row.port for row in rows}
        return (*rows, *(_row(port, None, shares[port], "earlier") for port in sorted(earlier)))

    # --- the thread that called ---

    def _next(self) -> Inference | None:
        """Wait for the next image's result; None where there are no more images."""
        with self._change:
            self._change.wait_for(self._has_news)
            if self._yielded in self._done:
                inference = self._done.pop(self._yielded)
                self._yielded += 1
                self._change.notify_all()
                return inference
            if self._failure is not None:
                raise self._failure
            if self._is_finished():
                return None
            raise self._all_gone()

    def _has_news(self) -> bool:
        return (
            self._yielded in self._done
            or self._failure is not None
            or self._is_finished()
            or len(self._gone) == len(self.boards)
        )

    def _is_finished(self) -> bool:
        return self._has_ended and self._answered == self._taken

    def _all_gone(self) -> BoardError:
        if len(self.boards) == 1:
            return self._gone[self.boards[0].port]
        return BoardError(
            f"all {len(self.boards)} boards are gone: {'; '.join(map(str, self._gone.values()))}",
            hint="--resume goes on when they are back, or with others of their kind",
        )

    def _stop(self) -> None:
        with self._change:
            self._is_stopped = True
            is_finished = self._is_finished()
            self._change.notify_all()
        if not is_finished:
            for board in self.boards:
                board.leave()

    # --- a board's thread ---

    def _work(self, board: Board) -> None:
        held = _Held()
        try:
            board.set_baud()
            while self._wait_for_work():
                for inference in board.stream(self._feed(held)):
                    self._answer(held, replace(inference, port=board.port))
        except BoardError as error:
            self._lose(board, error, held)
        except Exception as error:  # the calling thread raises it
            self._fail(error)

    def _wait_for_work(self) -> bool:
        """Wait for an image that may be taken; False where there will be none."""
        with self._change:
            self._change.wait_for(lambda: self._may_take() or self._is_over())
            return not self._is_over()

    def _may_take(self) -> bool:
        if self._returned:
            return True
        return not self._has_ended and self._taken - self._yielded < _MAX_AHEAD

    def _is_over(self) -> bool:
        return self._is_stopped or self._failure is not None or self._is_finished()

    def _feed(self, held: _Held) -> Iterator[bytes]:
        """Yield images as long as there are some to take at once; none behind a cut sequence."""
        while (sequence := self._take()) is not None:
            held.sequences.append(sequence)
            yield from sequence[1]
            if len(sequence[1]) < self._steps:
                return

    def _take(self) -> _Sequence | None:
        with self._change:
            if self._is_over() or not self._may_take():
                return None
            if self._returned:
                return self._returned.pop()
            try:
                images = tuple(islice(self._images, self._steps))
            except Exception as error:  # the calling thread raises it
                self._failure = error
                self._change.notify_all()
                return None
            if not images:
                self._has_ended = True
                self._change.notify_all()
                return None
            self._taken += len(images)
            return self._taken - len(images), images

    def _answer(self, held: _Held, inference: Inference) -> None:
        with self._change:
            number = held.answer()
            if number >= self._yielded and number not in self._done:  # else a lost board did
                self._done[number] = inference
                self._answered += 1
            self._change.notify_all()

    def _lose(self, board: Board, error: BoardError, held: _Held) -> None:
        with self._change:
            if not self._is_stopped:
                self._gone[board.port] = error
            self._returned = sorted([*self._returned, *held.sequences], reverse=True)
            self._change.notify_all()

    def _fail(self, error: Exception) -> None:
        with self._change:
            self._failure = error
            self._change.notify_all()


def _row(
    port: str, info: BoardInfo | None, share: Share, state: str, error: str | None = None
) -> BoardShare:
    per_tick = None if info is None else us_per_tick(info)
    us = None if per_tick is None or not share.ticks else share.ticks.part(50) * per_tick
    return BoardShare(
        port=port,
        board=None if info is None else info.board,
        images=len(share.ticks),
        device_us=us,
        retries=share.retries,
        resets=share.resets,
        state=state,
        error=error,
    )
