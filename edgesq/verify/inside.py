"""Look into a board: every operator's output against the host's, and what every operator takes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edgesq.builds import TFLITE, read_model, read_operators, read_report
from edgesq.errors import BoardError
from edgesq.flash import layer_named
from edgesq.formats.tflite import read_graph
from edgesq.graph import Int8Array
from edgesq.link.client import Client
from edgesq.link.trace import Tracer
from edgesq.link.transport import open_port
from edgesq.verify.cores import cycles_per_tick, instructions_per_tick, us_per_tick
from edgesq.verify.images import open_images
from edgesq.verify.layers import Layers, Ticks, trace_images
from edgesq.verify.profile import OperatorProfile, profile
from edgesq.verify.run import (
    VerifyOptions,
    check_same_model,
    find_board,
)


@dataclass(frozen=True)
class Inside:
    """What was found.

    Attributes:
        layers: every operator compared; None where that was not asked for.
        operators: what every operator takes.
    """

    layers: Layers | None
    operators: tuple[OperatorProfile, ...]


def look_inside(
    options: VerifyOptions,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    with_layers: bool,
) -> Inside:
    """Run images with every operator traced.

    Args:
        options: as of `verify`; of several boards, the first is looked into.
        on_progress: is told images done and images in all.
        with_layers: compare every operator's output too, up to the first difference.

    Raises:
        BoardError: no board, another model or table on it, or the link failed.
        ModelError: BUILD holds no readable model.
        ImageError: the images cannot be used.
        EdgesqError: not a BUILD folder, one without a table of operators, or a count below 1.
    """
    graph = read_graph(read_model(options.build), str(options.build / TFLITE))
    operators = read_operators(read_report(options.build), graph)
    images = open_images(options.build, graph, options.images, options.count, options.classes)
    port = options.ports[0] if options.ports else find_board(options.build, options.usb_ids)
    with open_port(port, options.timeout) as transport:
        client = Client(transport, options.timeout)
        with layer_named(options.build):
            info = client.hello()
        check_same_model(info, graph, port)
        if info.op_count != len(operators):
            raise BoardError(
                f"the board has {info.op_count} operators, the build {len(operators)}",
                where=port,
                hint="`edgesq flash` this build",
            )
        tracer, layers = Tracer(client), None

        def on_image(done: int) -> None:
            if on_progress:
                on_progress(done, images.count)

        if with_layers:
            layers, ticks = trace_images(tracer, graph, operators, images.read(), on_image)
        else:
            ticks = _ticks(tracer, images.read(), on_image)
    worth = us_per_tick(info), instructions_per_tick(info), cycles_per_tick(info)
    return Inside(layers, profile(graph, operators, ticks, *worth))


def _ticks(tracer: Tracer, images: Iterable[Int8Array], on_image: Callable[[int], None]) -> Ticks:
    ticks: Ticks = []
    for number, image in enumerate(images):
        _, traces = tracer.infer(image.tobytes())
        ticks.append(tuple(trace.ticks for trace in traces))
        on_image(number + 1)
    return ticks
