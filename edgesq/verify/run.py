"""Stream images to a board and compare every value that comes back."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgesq.errors import BoardError, EdgesqError, TargetError
from edgesq.export import TFLITE
from edgesq.flash import recorded
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.link.client import Client, Inference
from edgesq.link.frame import BoardInfo
from edgesq.link.transport import find_ports, open_port
from edgesq.targets import Target, load_target
from edgesq.verify.compare import Difference, compare
from edgesq.verify.cores import core_name, missed_speed
from edgesq.verify.images import VerifyImages, load_images
from edgesq.verify.oracle import Oracle, default_oracle
from edgesq.verify.report import VerifyReport


@dataclass(frozen=True)
class VerifyOptions:
    """What to verify.

    Attributes:
        build: the BUILD folder.
        port: serial device; None finds it.
        images: .npz file or folder; None for the BUILD's own.
        count: stream at most so many images, at least 1.
        baud: bits per second; a pty ignores it.
        timeout: seconds of silence after which the board is given up.
        usb_ids: "vid:pid" of the target's serial device, for finding the port.
    """

    build: Path
    port: str | None = None
    images: Path | None = None
    count: int | None = None
    baud: int = 115_200
    timeout: float = 5.0
    usb_ids: tuple[str, ...] = ()


def verify(
    options: VerifyOptions,
    on_progress: Callable[[int, int], None] | None = None,
    oracle: Oracle | None = None,
) -> VerifyReport:
    """Have the board compute every image and compare it with the oracle.

    A difference is a result, not an error.

    Args:
        options: what to verify.
        on_progress: called with (images done, images in all).
        oracle: who computes the expected values; TFLite's reference kernels by default.

    Raises:
        BoardError: no board, another model on it, or the link failed.
        ModelError: BUILD holds no readable model.
        ImageError: the images cannot be used.
        EdgesqError: not a BUILD folder, or a count below 1.
    """
    content = _read_model(options.build)
    graph = read_graph(content, str(options.build / TFLITE))
    images = load_images(options.build, graph, options.images, options.count)
    oracle = oracle or default_oracle(content)
    port = options.port or find_board(options.build, options.usb_ids)
    with open_port(port, options.timeout) as transport:
        client = Client(transport, options.timeout)
        info = client.hello()
        _check_same_model(info, graph, port)
        is_counting = _instructions_per_tick(info) is not None
        pairs = _stream(client, images, oracle, on_progress, ahead=not is_counting)
    return _summary(pairs, images, info, oracle.name, port)


def find_board(build: Path, usb_ids: tuple[str, ...] = ()) -> str:
    """Return the port of the emulated board started from `build`, or of a USB device.

    Raises:
        BoardError: none is there, or more than one.
    """
    board = recorded(build)
    if board is not None:
        return board.port
    ports = find_ports(usb_ids) if usb_ids else []
    if len(ports) == 1:
        return ports[0]
    if ports:
        raise BoardError(f"several boards: {', '.join(ports)}", hint="choose one with --port")
    raise BoardError("no board found", hint="`edgesq flash` one, or name its port with --port")


def _read_model(build: Path) -> bytes:
    try:
        return (build / TFLITE).read_bytes()
    except OSError as error:
        raise EdgesqError(
            f"holds no {TFLITE}", where=str(build), hint="`edgesq export` first"
        ) from error


def _check_same_model(info: BoardInfo, graph: Graph, port: str) -> None:
    if info.model_sha256 != graph.sha256:
        raise BoardError(
            f"the board runs model {info.model_sha256}, the build holds {graph.sha256}",
            where=port,
            hint="`edgesq flash` this build",
        )
    sizes = tuple(int(np.prod(graph.tensors[index].shape)) for index in graph.observed)
    if (info.input_shape, info.observed_bytes) != (graph.tensors[graph.input].hwc, sizes):
        raise BoardError(
            f"the board takes {info.input_shape} and gives {info.observed_bytes} values, the model "
            f"{graph.tensors[graph.input].hwc} and {sizes}",
            where=port,
            hint="`edgesq flash` this build",
        )


def _stream(
    client: Client,
    images: VerifyImages,
    oracle: Oracle,
    on_progress: Callable[[int, int], None] | None,
    *,
    ahead: bool,
) -> list[tuple[Inference, Difference]]:
    """Return what the board computed for each image, and how it differs."""
    pairs = []
    total = len(images.input)
    # One thread computes what to expect while the board computes what it is compared with.
    with ThreadPoolExecutor(max_workers=1) as pool:
        for index in range(total):
            expected = pool.submit(oracle.observed, images.input[index : index + 1])
            inference = client.infer(images.input[index].tobytes(), ahead=ahead)
            wanted = [values[0].reshape(-1) for values in expected.result()]
            pairs.append((inference, compare(wanted, inference.outputs)))
            if on_progress:
                on_progress(index + 1, total)
    return pairs


def _summary(
    pairs: list[tuple[Inference, Difference]],
    images: VerifyImages,
    info: BoardInfo,
    expected_by: str,
    port: str,
) -> VerifyReport:
    inferences = [inference for inference, _ in pairs]
    differences = [difference for _, difference in pairs]
    ticks = float(np.median([inference.ticks for inference in inferences]))
    per_tick = _instructions_per_tick(info)
    top1 = np.array([np.argmax(inference.outputs[0]) for inference in inferences])
    seconds = sum(inference.seconds for inference in inferences)
    return VerifyReport(
        images=len(pairs),
        bit_exact_images=sum(difference.is_exact for difference in differences),
        values=sum(difference.values for difference in differences),
        differing_values=sum(difference.differing for difference in differences),
        max_abs_lsb=max(difference.max_abs_lsb for difference in differences),
        top1_agreement=float(np.mean([difference.same_top1 for difference in differences])),
        accuracy=None if images.labels is None else float(np.mean(top1 == images.labels)),
        device_instructions=None if per_tick is None else round(ticks * per_tick),
        device_stack_bytes=max(inference.stack_bytes for inference in inferences) or None,
        device_us=ticks * 1e6 / info.tick_hz if info.tick_hz else 0.0,
        link_bytes_per_s=sum(inference.wire_bytes for inference in inferences) / seconds,
        retries=sum(inference.retries for inference in inferences),
        expected_by=expected_by,
        model_sha256=info.model_sha256,
        board=info.board,
        kernels=info.kernels,
        build=info.build,
        core=core_name(info),
        clock_hz=info.clock_hz,
        warnings=missed_speed(info),
        port=port,
    )


def _instructions_per_tick(info: BoardInfo) -> float | None:
    """Return what a tick is worth on an emulated board; None on silicon, whose counter differs."""
    target: Target | None = None
    with contextlib.suppress(TargetError):
        target = load_target(info.board)
    if target is None or target.counter_hz != info.tick_hz:
        return None
    return target.instructions_per_tick
