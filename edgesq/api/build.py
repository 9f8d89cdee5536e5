"""A build folder: what it holds, what its model computes, and its way onto boards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from edgesq.api import tables
from edgesq.api.board import Board
from edgesq.api.documents import Planned
from edgesq.api.flashing import Flashed, made_ready, put
from edgesq.api.given import ClassNames, StrPath
from edgesq.api.model import ImageLike, Model
from edgesq.api.prediction import Prediction
from edgesq.api.progress import OnProgress, numbered
from edgesq.api.verifying import VerifyArguments, verify_build
from edgesq.builds import ExportReport, planned, read_report, write_page
from edgesq.errors import BoardError
from edgesq.link.transport import ids_there
from edgesq.markup import lines, shown_html
from edgesq.pages import Picture, arena_map, network, peak_map
from edgesq.project import Sizes
from edgesq.targets import load_target
from edgesq.verify import VerifyReport, find_board
from edgesq.verify.memory import measured

if TYPE_CHECKING:
    from edgesq.accuracy import AccuracyReport

_STEPS = 2
"""Compile, and start the board; a tool that programs one may take more."""


@dataclass(frozen=True, repr=False)
class Build:
    """A build folder that `export` wrote; `load` opens one.

    It holds nothing but the path: what it says is read from the folder when it is asked for.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @property
    def report(self) -> ExportReport:
        """What `report.json` says: model, firmware, sizes, calibration, parity, warnings.

        Raises:
            EdgesqError: the folder is no build any more, or damaged.
        """
        return read_report(self.folder)

    @property
    def plan(self) -> Planned | None:
        """The plan, operator by operator; None where TensorFlow Lite Micro plans for itself.

        It is made again of the model, not believed.

        Raises:
            EdgesqError: the folder is no build any more, or damaged.
        """
        graph = Model.of(self.folder).graph
        chosen = planned(self.report, graph)
        return None if chosen is None else Planned.of(graph, chosen.plan)

    @property
    def pictures(self) -> dict[str, Picture]:
        """Pictures, which show themselves in a notebook: "network", "arena", "fullest".

        The arena over the steps of one image, and over those around the fullest one; neither where
        TensorFlow Lite Micro plans for itself.

        Raises:
            EdgesqError: the folder is no build any more, or damaged.
        """
        graph = Model.of(self.folder).graph
        chosen = planned(self.report, graph)
        found = {"network": network(graph)}
        if chosen is not None:
            found |= {"arena": arena_map(chosen.plan), "fullest": peak_map(chosen.plan)}
        return found

    def write_page(self, path: StrPath) -> None:
        """Write a page with pictures of all of this; it needs nothing but itself.

        Instructions are those that the last `verify` with `profile` counted, if there was one.

        Args:
            path: HTML file to write.

        Raises:
            EdgesqError: the folder is no build any more, or damaged.
            OSError: the file cannot be written.
        """
        write_page(self.folder, Path(path), measured(self.folder, self.report))

    @property
    def sizes(self) -> Sizes | None:
        """Bytes of flash and RAM of the whole image by the linker; None where not compiled."""
        return self.report.sizes

    def predict(self, image: ImageLike) -> Prediction:
        """Return what the exact int8 model makes of one image, on this computer.

        The values are those of TensorFlow Lite's reference kernels, and so the board's.

        Args:
            image: a file; what Pillow holds; uint8 [H, W, C] or [H, W], which is resized and
                prepared as the build does; or int8 [H, W, C] of the model's own size, as the board
                gets it. Of a model with several inputs a mapping with one of these for each, or
                int8 or reals of one that is no image, by the names in its .tflite.

        Raises:
            ImageError: it cannot be read, or is of another type or shape.
        """
        (found,) = self.predict_batch([image])
        return found

    def predict_batch(self, images: Iterable[ImageLike] | NDArray[Any]) -> tuple[Prediction, ...]:
        """Return what the exact int8 model makes of several images, each as `predict` takes it.

        Args:
            images: any number of them, or an array [n, H, W, C].

        Raises:
            ImageError: as `predict`.
        """
        model = Model.of(self.folder)
        prepared = model.prepare_all(images)
        return model.predict(np.stack(prepared)) if prepared else ()

    def compile(self, on_progress: OnProgress | None = None) -> Sizes:
        """Compile the firmware, if it is not, and return its sizes.

        Raises:
            TargetError: the target is a library for a project of your own.
            ToolError: a compiler is missing, or it failed.
        """
        made_ready(self.folder, None, None, numbered(on_progress, 1))
        sizes = self.sizes
        assert sizes is not None, "it is compiled"
        return sizes

    def flash(
        self,
        target: str | None = None,
        runner: str | None = None,
        probe: str | None = None,
        on_progress: OnProgress | None = None,
        *,
        tcp: bool = False,
    ) -> Board:
        """Compile if need be, and program the board or start the emulated one.

        Args:
            target: another board than the one exported for; its firmware replaces the build's.
            runner: another way to flash than the board's first.
            probe: serial number of the debug probe, where several are.
            on_progress: is told what begins.
            tcp: give an emulated board socket://127.0.0.1:PORT instead of a pty.

        Returns:
            The board, which answered. Used in a `with`, an emulated one is stopped at its end.

        Raises:
            TargetError: no such target or runner.
            FitError: the model does not fit the other board.
            ToolError: a compiler, an emulator or a tool that programs is missing, or it failed.
            BoardError: no board, several, or none that answers at a serial device of its own.
        """
        on_stage = numbered(on_progress, _STEPS)
        chosen = made_ready(self.folder, target, runner, on_stage)
        done = put(self.folder, chosen, runner, probe, on_stage, is_tcp=tcp)
        return Board(self.folder, _port_of(done), is_ours=done.is_process)

    def board(self, port: str | None = None) -> Board:
        """Return a board that already runs this build; it goes on running afterwards.

        Args:
            port: serial device, URL or labgrid://PLACE; None finds the one board that is there.

        Raises:
            BoardError: none is there, or several, or another model is on it.
        """
        if port is None:
            target = load_target(self.report.firmware.target)
            port = find_board(self.folder, ids_there(target.own_usb_ids, target.usb_ids))
        found = Board(self.folder, port)
        _ = found.info  # which is refused where the board runs another model
        return found

    def verify(
        self,
        images: StrPath | None = None,
        count: int | None = None,
        *,
        ports: Sequence[str] = (),
        **options: Unpack[VerifyArguments],
    ) -> VerifyReport:
        """Verify boards that already run this build; several share the images.

        Args:
            images: as of `Board.verify`.
            count: as there.
            ports: serial devices, URLs or labgrid://PLACE; none finds the one board that is there.
            **options: as `VerifyArguments` says.

        Raises:
            EdgesqError: as there, or a port is named twice.
        """
        return verify_build(self.folder, ports, images, count, **options)

    def evaluate(
        self,
        images: StrPath,
        count: int | None = None,
        *,
        ports: Sequence[str] = (),
        classes: ClassNames | None = None,
        on_progress: OnProgress | None = None,
    ) -> AccuracyReport:
        """Judge every form of the model on labelled images, and say which layer costs most.

        A map of classes is judged by label maps; of models that give no classes, the raw outputs
        of the forms are compared.

        Args:
            images: folder with one folder per class, or .npz with `input` and `labels`; for a map
                a folder with `images` and `masks`, or .npz with `input` and `masks`.
            count: images at most, at least 1, as many of each class as there are.
            ports: boards to judge too where classes are, as of `verify`; without them a board is
                judged by what the build remembers of its last `verify` of these images.
            classes: as of `Board.verify`.
            on_progress: is told how many images are done, as `Progress`.

        Raises:
            ImageError: the images cannot be used, or the model cannot be judged by them.
            BoardError: a board or the link failed.
        """
        from edgesq.api.evaluating import evaluated

        return evaluated(
            self.folder, ports, images, count, classes=classes, on_progress=on_progress
        )

    def __repr__(self) -> str:
        report = self.report
        sizes = report.sizes
        taken = "not compiled"
        if sizes is not None:
            taken = f"flash {sizes.flash_bytes:,} B, RAM {sizes.ram_bytes:,} B"
        return f"Build({self.folder}: {report.model.name} on {report.firmware.target}, {taken})"

    def _repr_html_(self) -> str:
        report, arena = self.report, self.pictures.get("arena")
        shown = shown_html(tables.sizes(report), tables.parity(report.parity))
        return shown + lines(report.warnings) + ("" if arena is None else arena.as_img())


def load(folder: StrPath) -> Build:
    """Open a build folder.

    Args:
        folder: that `export` or `edgesq export` wrote.

    Raises:
        EdgesqError: it is no build folder, damaged, or of another version of edgesq.
    """
    build = Build(Path(folder))
    _ = build.report
    return build


def _port_of(done: Flashed) -> str:
    """Return the serial device of a board.

    Raises:
        BoardError: it is not known.
    """
    if len(done.ports) == 1:
        return done.ports[0]
    found = ", ".join(done.ports) or "none is there"
    raise BoardError(
        f"programmed, but which serial device is the board's? {found}",
        where=done.target.name,
        hint="name it: build.board(PORT)",
    )
