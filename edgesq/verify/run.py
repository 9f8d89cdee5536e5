"""Stream images to a board and compare every value that comes back."""

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgesq.builds import TFLITE, read_model
from edgesq.calibrate import Classes
from edgesq.errors import BoardError, DamagedError, EdgesqError
from edgesq.flash import layer_named, port_known
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.limits import TIMEOUT_S
from edgesq.link.client import Client
from edgesq.link.info import BoardInfo
from edgesq.link.transport import DEFAULT_BAUD, find_ports, open_port
from edgesq.targets import TFLM_KERNELS
from edgesq.verify.cores import instructions_per_tick, is_marked
from edgesq.verify.history import remember
from edgesq.verify.images import VerifyImages, open_images
from edgesq.verify.oracle import (
    Oracle,
    default_oracle,
    expecting,
    expecting_of,
    peers,
    usual_steps,
)
from edgesq.verify.pace import Outlook, has_rate, outlook
from edgesq.verify.report import VerifyReport
from edgesq.verify.resume import Keeper, resumed
from edgesq.verify.shard import Board, Shards
from edgesq.verify.stream import Streaming
from edgesq.verify.summary import Facts, said_of
from edgesq.verify.tally import Tally
from edgesq.verify.workers import Beside, Recipe


class OtherBoardError(BoardError):
    """A board that answers, and is not the one that the build is for."""


@dataclass(frozen=True)
class VerifyOptions:
    """What to verify.

    Attributes:
        build: the BUILD folder.
        ports: serial devices or URLs of boards that share the images; none: finds the board.
        images: .npz file or folder; None for the BUILD's own.
        count: stream at most so many images, at least 1, spread evenly over the classes.
        classes: as declared; None for those of the build or the images.
        baud: bits per second to go to where board and line hold them; None for the fastest.
        timeout: seconds of silence after which the board is given up.
        usb_ids: "vid:pid" of the target's serial device, for finding the port.
        report: file that the report is kept in while images stream; None keeps none.
        resume: go on from that file, where it is there.
        sequence: images of a sequence, where the model keeps state: it is reset before each so
            many; None for what is usual. Of others it is not looked at.
        processes: at most so many compute what to expect; None: by this computer's CPUs.
    """

    build: Path
    ports: tuple[str, ...] = ()
    images: Path | None = None
    count: int | None = None
    classes: Classes | None = None
    baud: int | None = DEFAULT_BAUD
    timeout: float = TIMEOUT_S
    usb_ids: tuple[str, ...] = ()
    report: Path | None = None
    resume: bool = False
    sequence: int | None = None
    processes: int | None = None


def verify(
    options: VerifyOptions,
    on_progress: Callable[[int, int], None] | None = None,
    oracle: Oracle | None = None,
    on_start: Callable[[Outlook], None] | None = None,
) -> VerifyReport:
    """Have the board compute every image and compare it with the oracle.

    A difference is a result, not an error. A run that ends early leaves a report of what was done.

    Args:
        options: what to verify.
        on_progress: called with (images done, images in all).
        oracle: who computes the expected values; TFLite's reference kernels by default.
        on_start: called with what the run has before it, before the first image.

    Raises:
        BoardError: no board, another model on it, or the link failed.
        ModelError: BUILD holds no readable model.
        ImageError: the images cannot be used.
        EdgesqError: not a BUILD folder, or an option that cannot be used.
    """
    content = read_model(options.build)
    graph = read_graph(content, str(options.build / TFLITE))
    images = open_images(options.build, graph, options.images, options.count, options.classes)
    steps = _steps(options, graph)
    with contextlib.ExitStack() as stack:
        boards, silent = _open_boards(options, graph, stack)
        by = oracle or default_oracle(content, steps)
        decides = by.first(len(boards[0].info.observed_bytes))
        shards = Shards(boards, silent, steps) if len(boards) + len(silent) > 1 else None
        facts = _facts(options, graph, images, boards, decides.name, shards)
        tally = Tally()
        if options.resume and options.report is not None:
            tally, whole = resumed(options.report, facts.report(tally), facts.forms)
            if whole is not None:
                remember(options.build, whole)
                return whole
        recipe = None if oracle or graph.stateful else _recipe(options, facts)
        left = images.count - tally.images
        if facts.shards is None:
            boards[0].set_baud()
        if on_start is not None:
            on_start(_outlook(options, boards, left))
        beside = Beside(expecting(decides, facts.peers), recipe, left, options.processes)
        stream = (facts.shards or boards[0]).stream
        Streaming(facts, beside, tally, Keeper(options.report)).run(stream, on_progress)
    report = facts.report(tally)
    remember(options.build, report)
    return report


def _steps(options: VerifyOptions, graph: Graph) -> int:
    """Return how many images make a sequence; 1 where the model keeps no state.

    Raises:
        EdgesqError: it is below 1, or the model keeps no state.
    """
    if options.sequence is not None and not graph.stateful:
        raise EdgesqError(
            "the model keeps nothing from one image to the next, so it has no sequences",
            hint="leave out --sequence",
        )
    if options.sequence is not None and options.sequence < 1:
        raise EdgesqError(f"a sequence of {options.sequence} images", hint="must be at least 1")
    return (options.sequence or usual_steps(graph)) if graph.stateful else 1


def _outlook(options: VerifyOptions, boards: Sequence[Board], images: int) -> Outlook:
    """Return what a run has before it; of several boards, each sets its rate when it begins."""
    client, info = boards[0].client, boards[0].info
    baud = client.baud if len(boards) == 1 else options.baud or client.baud
    timed = None if has_rate(info) else client.timed()
    may_rise = options.baud == DEFAULT_BAUD and not client.has_fixed_rate
    return outlook(images, [board.info for board in boards], baud, timed, may_rise=may_rise)


def _recipe(options: VerifyOptions, facts: Facts) -> Recipe:
    """Return how a process comes to TFLite's reference kernels and the peers of this run."""
    tensors = len(facts.info.observed_bytes)
    return Recipe(expecting_of, (options.build, facts.graph.sha256, tensors))


def _open_boards(
    options: VerifyOptions, graph: Graph, stack: contextlib.ExitStack
) -> tuple[tuple[Board, ...], dict[str, BoardError]]:
    """Open a session with every board; all must run the build's model and give the same tensors.

    Returns:
        The boards, and the ports where none answered, of several.
    """
    ports = options.ports or (find_board(options.build, options.usb_ids),)
    if len(set(ports)) < len(ports):
        raise EdgesqError(
            f"a board cannot share with itself: {', '.join(ports)}", hint="name each port once"
        )
    boards: list[Board] = []
    silent: dict[str, BoardError] = {}
    for port in ports:
        try:
            boards.append(_open_board(port, options, graph, stack))
        except (DamagedError, OtherBoardError):
            raise
        except BoardError as error:
            silent[port] = error
            if len(silent) == len(ports):
                raise
    _check_alike(boards)
    return tuple(boards), silent


def _check_alike(boards: Sequence[Board]) -> None:
    for board in boards[1:]:
        if board.info.observed_bytes != boards[0].info.observed_bytes:
            raise OtherBoardError(
                f"the board gives {board.info.observed_bytes} values, the one at {boards[0].port} "
                f"{boards[0].info.observed_bytes}",
                where=board.port,
                hint="verify boards of different runtimes one by one",
            )


def _open_board(
    port: str, options: VerifyOptions, graph: Graph, stack: contextlib.ExitStack
) -> Board:
    transport = stack.enter_context(open_port(port, options.timeout))
    client = Client(transport, options.timeout)
    client.steps = _steps(options, graph)
    stack.callback(client.close)
    with layer_named(options.build):
        info = client.hello()
    check_same_model(info, graph, port)
    ahead = instructions_per_tick(info) is None and not is_marked(info)
    return Board(port, client, info, ahead, options.baud, transport.leave)


def _facts(
    options: VerifyOptions,
    graph: Graph,
    images: VerifyImages,
    boards: tuple[Board, ...],
    expected_by: str,
    shards: Shards | None,
) -> Facts:
    said = said_of(options.build)
    own = str(options.build) if said is None else said.verify_images
    estimated = None if said is None else said.firmware.estimated
    return Facts(
        graph=graph,
        images=images,
        images_from=own if options.images is None else str(options.images),
        images_asked=options.count,
        arena_bytes=None if said is None else said.firmware.arena_bytes,
        reads=None if estimated is None else estimated.flash_reads,
        sizes=None if said is None else said.sizes,
        info=boards[0].info,
        port=", ".join(board.port for board in boards),
        expected_by=expected_by,
        peers=peers(options.build, graph) if _steps(options, graph) == 1 else (),
        sequence=_steps(options, graph) if graph.stateful else None,
        shards=shards,
        tried=lambda: [
            (board.port, rate, outcome)
            for board in boards
            for rate, outcome in list(board.client.tried.items())
        ],
    )


def find_board(build: Path, usb_ids: tuple[str, ...] = ()) -> str:
    """Return the port of the board last started or programmed with `build`, or of a USB device.

    Raises:
        BoardError: none is there, or more than one.
    """
    known = port_known(build)
    if known is not None:
        return known
    ports = find_ports(usb_ids) if usb_ids else []
    if len(ports) == 1:
        return ports[0]
    if ports:
        raise BoardError(f"several boards: {', '.join(ports)}", hint="choose one with --port")
    raise BoardError("no board found", hint="`edgesq flash` one, or name its port with --port")


def check_same_model(info: BoardInfo, graph: Graph, port: str) -> None:
    """Refuse a board that runs another model than the build's.

    Raises:
        BoardError: it does.
    """
    if info.model_sha256 != graph.sha256:
        raise OtherBoardError(
            f"the board runs model {info.model_sha256}, the build holds {graph.sha256}",
            where=port,
            hint="`edgesq flash` this build",
        )
    if info.keeps_state != bool(graph.stateful):
        raise OtherBoardError(
            "the model keeps state from image to image, the board's runtime does not, or likewise",
            where=port,
            hint="`edgesq flash` this build; TensorFlow Lite Micro's runtime cannot be verified so",
        )
    sizes = tuple(math.prod(graph.tensors[index].stored) for index in graph.observed)
    if info.kernels == TFLM_KERNELS:
        sizes = sizes[: len(graph.outputs)]  # TensorFlow Lite Micro keeps nothing but these
    shapes = tuple(graph.tensors[index].stored for index in graph.sent)
    taken = info.inputs or (info.input_shape,)
    if (taken, info.observed_bytes) != (shapes, sizes):
        raise OtherBoardError(
            f"the board takes {_listed(taken)} and gives {info.observed_bytes} values, the model "
            f"{_listed(shapes)} and {sizes}",
            where=port,
            hint="`edgesq flash` this build",
        )


def _listed(shapes: Sequence[tuple[int, int, int]]) -> str:
    return ", ".join(map(str, shapes))
