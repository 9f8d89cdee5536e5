"""From a tally to a report."""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from edgesq.builds import ExportReport, read_report
from edgesq.calibrate import probable_order
from edgesq.errors import EdgesqError
from edgesq.graph import Graph
from edgesq.link.baud import RateOutcome
from edgesq.link.info import BoardInfo
from edgesq.project import FlashReads, Sizes, Time, board_time
from edgesq.verify.cores import (
    core_name,
    cycles_per_tick,
    instructions_per_tick,
    missed_speed,
    target_of,
    us_per_tick,
)
from edgesq.verify.facts import (
    AccuracyFacts,
    BoardShare,
    Comparison,
    DeviceFacts,
    ExampleFacts,
    LinkFacts,
    OutputComparison,
    ResultFacts,
    RunFacts,
)
from edgesq.verify.images import VerifyImages
from edgesq.verify.metrics import TOP, OutputSums
from edgesq.verify.oracle import Peer
from edgesq.verify.pace import pace
from edgesq.verify.report import VerifyReport
from edgesq.verify.shard import Shards
from edgesq.verify.tally import Against, Tally


@dataclass(frozen=True)
class _Cost:
    """Of an image in the engine; None where it is not known."""

    instructions: int | None = None
    cycles: int | None = None
    us: float | None = None


@dataclass(frozen=True)
class Facts:
    """What is known before the first image.

    Attributes:
        graph: the model.
        images: that are streamed.
        images_from: where they come from, in words.
        images_asked: how many were asked for; None for all.
        arena_bytes: as planned; None where the build does not say.
        reads: from the board's flash, as estimated; None where the build does not say.
        sizes: of the whole image; None where the build does not say.
        info: what the board said of itself; of several boards, the first.
        port: serial device.
        expected_by: who decides.
        peers: other forms of the model.
        shards: the boards, where several share the images.
        sequence: images of a sequence; None where the model keeps no state.
        tried: says port, rate and what came of it, of all rates tried so far.
    """

    graph: Graph
    images: VerifyImages
    images_from: str
    images_asked: int | None
    arena_bytes: int | None
    info: BoardInfo
    port: str
    expected_by: str
    peers: tuple[Peer, ...]
    shards: Shards | None = None
    reads: FlashReads | None = None
    sizes: Sizes | None = None
    sequence: int | None = None
    tried: Callable[[], list[tuple[str, int, RateOutcome]]] = list

    @property
    def forms(self) -> int:
        """How many forms of the model a board is compared with."""
        return 1 + sum(peer.run is not None for peer in self.peers)

    def report(self, tally: Tally) -> VerifyReport:
        """Return what was found in the images of a tally."""
        infos = self._infos()
        return VerifyReport(
            run=self._run(tally),
            result=self._result(tally),
            accuracy=self._accuracy(tally),
            classes=self.images.classes,
            device=self._device(tally, infos),
            link=self._link(tally, infos),
            comparisons=self._comparisons(tally),
            examples=ExampleFacts(tuple(tally.differing), tuple(tally.wrong), tuple(tally.unsure)),
            boards=self._shares(tally),
            sizes=self.sizes,
            notes=self._notes(tally),
            warnings=tuple(dict.fromkeys(chain.from_iterable(map(missed_speed, infos)))),
        )

    def _run(self, tally: Tally) -> RunFacts:
        return RunFacts(
            complete=tally.images == self.images.count,
            images=tally.images,
            planned=self.images.count,
            asked=self.images_asked,
            images_from=self.images_from,
            images_identity=self.images.identity,
            model_sha256=self.info.model_sha256,
            expected_by=self.expected_by,
            seconds=tally.seconds,
            sequence=self.sequence,
        )

    def _result(self, tally: Tally) -> ResultFacts:
        decisive = tally.against[0] if tally.against else Against()
        return ResultFacts(
            exact_images=tally.exact,
            values=sum(sums.values for sums in decisive.outputs),
            differing_values=sum(sums.differing for sums in decisive.outputs),
            max_abs_lsb=max((sums.max_abs_lsb for sums in decisive.outputs), default=0),
            top1_agreement=self._agreement(decisive.same_top1, tally.images),
            top5_agreement=self._agreement(decisive.same_top5, tally.images, TOP),
        )

    def _device(self, tally: Tally, infos: tuple[BoardInfo, ...]) -> DeviceFacts:
        middle, late = self._costs(tally)
        return DeviceFacts(
            board=_all(info.board for info in infos),
            kernels=_all(info.kernels for info in infos),
            build=_all(info.build for info in infos),
            core=_all(core_name(info) for info in infos) or None,
            clock_hz=self.info.clock_hz,
            instructions=middle.instructions,
            instructions_p95=late.instructions,
            cycles=middle.cycles,
            cycles_p95=late.cycles,
            us=middle.us,
            us_p95=late.us,
            stack_bytes=tally.stack_bytes or None,
            arena_bytes=tally.arena_bytes or None,
            arena_planned_bytes=self.arena_bytes,
            estimated=self._estimated(middle.instructions),
        )

    def _agreement(self, part: int, images: int, among: int = 1) -> float | None:
        """Return a share of the images; None where it says nothing: too few classes, or none."""
        judge = self.images.judge
        return None if judge is None or judge.classes <= among else _share(part, images)

    def _accuracy(self, tally: Tally) -> AccuracyFacts:
        return AccuracyFacts(
            top1=_share(tally.correct, tally.labelled),
            top5=self._agreement(tally.correct5, tally.labelled, TOP),
            why_not=self.images.no_accuracy,
            confusion=tuple((*pair, images) for pair, images in sorted(tally.pairs.items())),
        )

    def _notes(self, tally: Tally) -> tuple[str, ...]:
        images, order = self.images, None
        if images.judge is not None:
            order = probable_order(tally.pairs, images.classes, images.judge.classes)
        return (*images.notes, *([order] if order else []))

    def _link(self, tally: Tally, infos: tuple[BoardInfo, ...]) -> LinkFacts:
        lines_s = tally.seconds * len(infos)
        return LinkFacts(
            port=self.port,
            bytes_per_s=_share(tally.wire_bytes, tally.seconds) or 0.0,
            baud=tally.baud,
            line_share=_share(tally.line_s, lines_s) or 0.0,
            sent_share=_share(tally.sent_s, lines_s) or 0.0,
            image_bytes=tally.images * self.graph.image_bytes,
            sent_bytes=tally.sent_bytes,
            retries=tally.retries,
            resets=tally.resets,
            pace=pace(tally, infos, self.tried()),
        )

    def _shares(self, tally: Tally) -> tuple[BoardShare, ...]:
        if self.shards is None:
            return ()
        return self.shards.rows(tally.shares, complete=tally.images == self.images.count)

    def _infos(self) -> tuple[BoardInfo, ...]:
        return tuple(board.info for board in self.shards.boards) if self.shards else (self.info,)

    def _costs(self, tally: Tally) -> tuple["_Cost", "_Cost"]:
        """Return what an image takes: the median, and what 95 of 100 take at most."""
        if len(set(self._infos())) > 1:  # a median over those says nothing of either
            return _Cost(), _Cost()
        instructions, cycles = instructions_per_tick(self.info), cycles_per_tick(self.info)
        us = us_per_tick(self.info)
        middle, late = (
            _Cost(
                None if instructions is None else round(some * instructions),
                None if cycles is None else round(some * cycles),
                None if us is None else some * us,
            )
            for some in map(tally.ticks.part, (50, 95))
        )
        return middle, late

    def _estimated(self, instructions: int | None) -> Time | None:
        """Return what instructions would take at the board's clock."""
        target = target_of(self.info)
        if target is None or instructions is None:
            return None
        board = replace(target, clock_hz=self.info.clock_hz, kernels=self.info.kernels)
        return board_time(instructions, board, self.reads)

    def _comparisons(self, tally: Tally) -> tuple[Comparison, ...]:
        rows = iter(tally.against or [Against()] * (1 + len(self.peers)))
        made = [self._comparison(self.expected_by, "decides", next(rows), tally.images)]
        for peer in self.peers:
            row = Against() if peer.run is None else next(rows)
            images = 0 if peer.run is None else tally.images
            made.append(self._comparison(peer.name, peer.note, row, images))
        return tuple(made)

    def _comparison(self, name: str, note: str, row: Against, images: int) -> Comparison:
        scales = [self.graph.tensors[index].scale for index in self.graph.observed]
        outputs = zip(self.graph.observed_names, row.outputs, scales, strict=False)
        return Comparison(
            name,
            note,
            self._agreement(row.same_top1, images),
            self._agreement(row.same_top5, images, TOP),
            tuple(_output(*output) for output in outputs),
        )


def _output(name: str, sums: OutputSums, scale: float) -> OutputComparison:
    return OutputComparison(
        output=name,
        values=sums.values,
        differing=sums.differing,
        max_abs_lsb=sums.max_abs_lsb,
        scale=scale,
        rmse=sums.rmse,
        cosine=sums.cosine,
        sqnr_db=sums.sqnr_db,
        histogram=sums.histogram,
    )


def _all(texts: Iterable[str | None]) -> str:
    """Return the different texts, in an order that their boards' does not change."""
    return "; ".join(sorted({text for text in texts if text}))


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def said_of(build: Path) -> ExportReport | None:
    """Return what a build says of itself; None where it does not."""
    with contextlib.suppress(EdgesqError):
        return read_report(build)
    return None
