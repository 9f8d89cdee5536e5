"""A board that runs the firmware of a build."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

from numpy.typing import NDArray

from edgesq.api.given import StrPath
from edgesq.api.model import ImageLike, Model
from edgesq.api.prediction import Prediction
from edgesq.api.verifying import VerifyArguments, verify_build
from edgesq.errors import BoardError
from edgesq.flash import layer_named, recorded, stop_board
from edgesq.limits import TIMEOUT_S
from edgesq.link.client import Client
from edgesq.link.info import BoardInfo
from edgesq.link.labgrid import held
from edgesq.link.transport import open_port
from edgesq.verify import VerifyReport
from edgesq.verify.run import check_same_model


class Board:
    """A board that runs the firmware of a build; `Build.flash` and `Build.board` make one.

    As a context manager it is given back at the end: a board that is a process of this computer
    (emulated, or target `host`) and that `Build.flash` started is stopped, a real one keeps
    running. The serial line is opened by each call that needs it, and closed again.

    Args:
        folder: the build.
        port: serial device or URL.
        is_ours: whether it is a process that ends with this object.
    """

    def __init__(self, folder: Path, port: str, *, is_ours: bool = False) -> None:
        self._folder, self._port = folder, port
        self._process = recorded(folder) if is_ours else None
        self._held = ExitStack()
        self._is_stopped = False

    @property
    def port(self) -> str:
        """Serial device, or URL as `--port` takes it."""
        return self._port

    @property
    def folder(self) -> Path:
        """The build folder that its firmware is from."""
        return self._folder

    @property
    def info(self) -> BoardInfo:
        """What the board says of itself now: its name, core, clock, compiler and model.

        Raises:
            BoardError: it is silent, gone, damaged, or runs another model than the build's.
        """
        with ExitStack() as stack:
            return self._opened(stack, Model.of(self._folder))[1]

    def verify(
        self,
        images: StrPath | None = None,
        count: int | None = None,
        **options: Unpack[VerifyArguments],
    ) -> VerifyReport:
        """Stream images to the board and compare every value with the host's.

        A difference is a result, not an error: see `VerifyReport.equal`.

        Args:
            images: folder of images, or .npz with `input` [n, H, W, C]; None for the build's own.
            count: images at most, at least 1, as many of each class as there are.
            **options: as `VerifyArguments` says.

        Raises:
            BoardError: the board or the link failed, or another model is on it.
            ImageError: the images cannot be used.
            EdgesqError: not a build folder, a value out of its range, or a file cannot be written.
        """
        self._check_runs()
        return verify_build(self._folder, (self._port,), images, count, **options)

    def predict(self, image: ImageLike) -> Prediction:
        """Return what the board computes of one image, given as to `Build.predict`.

        Raises:
            ImageError: it cannot be read, or is of another type or shape.
            BoardError: the board or the link failed, or another model is on it.
        """
        (found,) = self.predict_batch([image])
        return found

    def predict_batch(self, images: Iterable[ImageLike] | NDArray[Any]) -> tuple[Prediction, ...]:
        """Return what the board computes of several images, in one session.

        Raises:
            ImageError, BoardError: as `predict`.
        """
        model = Model.of(self._folder)
        prepared = [image.tobytes() for image in model.prepare_all(images)]
        with ExitStack() as stack:
            client, _ = self._opened(stack, model)
            return tuple(
                model.prediction(model.graph.typed(found.outputs))
                for found in client.stream(prepared)
            )

    def close(self) -> None:
        """Give the board back: stop it where `Build.flash` started it on this computer.

        Raises:
            ToolError: it cannot be stopped.
        """
        process, self._process = self._process, None
        with self._held:  # the place in a farm, if it is one
            if process is not None:
                self._is_stopped = True
                stop_board(self._folder, process)

    def __enter__(self) -> Self:
        self._held.enter_context(held((self._port,)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Board({self._port}, of {self._folder})"

    def _check_runs(self) -> None:
        if self._is_stopped:
            hint = "`Build.flash` starts it again"
            raise BoardError("was stopped when this Board was closed", where=self._port, hint=hint)

    def _opened(self, stack: ExitStack, model: Model) -> tuple[Client, BoardInfo]:
        """Open a session, which ends with the stack, and hold that the model is the build's."""
        self._check_runs()
        stack.enter_context(held((self._port,)))
        client = Client(stack.enter_context(open_port(self._port, TIMEOUT_S)), TIMEOUT_S)
        stack.callback(client.close)
        with layer_named(self._folder):
            info = client.hello()
        check_same_model(info, model.graph, self._port)
        return client, info
