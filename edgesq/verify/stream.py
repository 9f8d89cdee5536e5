"""Images through the board, while others compute what to expect, and one other thread compares."""

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from edgesq.link.client import Inference
from edgesq.verify.resume import Keeper
from edgesq.verify.summary import Facts
from edgesq.verify.tally import Expected, Tally
from edgesq.verify.workers import Beside

_MIN_BEHIND = 4
"""Images that the board may be ahead of the comparison; more where more are computed at a time."""


class Streaming:
    """Streams the images that a tally lacks.

    The tally changes in the other thread alone, one whole image at a time, so that Ctrl-C, which
    only the main thread sees, leaves it whole.

    Args:
        facts: of the run.
        beside: computes what to expect; closed at the end.
        tally: of the images before.
        keeper: of the report on disk.
    """

    def __init__(self, facts: Facts, beside: Beside, tally: Tally, keeper: Keeper) -> None:
        self._facts = facts
        self._beside = beside
        self._tally = tally
        self._keeper = keeper
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._expected: deque[Future[list[Expected]]] = deque()
        self._behind: deque[Future[None]] = deque()

    def run(
        self,
        stream: Callable[[Iterable[bytes]], Generator[Inference, None, None]],
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        """Stream to the end; keep the report then, and also where something ends it before.

        Args:
            stream: has images computed and yields one result for each, in their order; may take
                them from other threads, one at a time.
            on_progress: called with (images done, images in all).

        Raises:
            BoardError: the link failed.
            ImageError: an image cannot be read.
            ModelError: the oracle cannot take an image.
            ToolError: a process that computes what to expect was ended.
        """
        done, total = self._tally.images, self._facts.images.count
        if on_progress and done:
            on_progress(done, total)
        try:
            with contextlib.closing(stream(self._feed())) as inferences:
                for inference in inferences:
                    self._compare(done, inference)
                    done += 1
                    if on_progress:
                        on_progress(done, total)
            self._wait(0)
        finally:
            self._beside.close()
            self._pool.shutdown(wait=True, cancel_futures=True)
            if self._tally.images:
                self._keeper.keep(self._facts.report(self._tally), self._tally)

    def _feed(self) -> Iterator[bytes]:
        """Yield images for the link, and have what to expect of them computed."""
        for image in self._facts.images.read(self._tally.images):
            self._expected.append(self._beside.submit(image))
            yield image.tobytes()

    def _compare(self, number: int, inference: Inference) -> None:
        self._behind.append(
            self._pool.submit(self._fold, number, self._expected.popleft(), inference)
        )
        self._wait(max(_MIN_BEHIND, 2 * self._beside.processes))

    def _wait(self, most: int) -> None:
        while len(self._behind) > most:
            self._behind.popleft().result()

    def _fold(self, number: int, expected: Future[list[Expected]], inference: Inference) -> None:
        facts = self._facts
        images = facts.images
        label = images.label(number)
        self._tally.add(facts.graph, expected.result(), inference, label, images.judge)
        self._keeper.keep_now_and_then(lambda: facts.report(self._tally), self._tally)
