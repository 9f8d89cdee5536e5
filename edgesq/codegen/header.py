"""What a program can read of a model: NAME_model.h."""

from collections.abc import Mapping, Sequence

from edgesq.calibrate import Preprocessing
from edgesq.codegen.text import class_names, real32, string, template
from edgesq.graph import Graph
from edgesq.kernels.initializer import row

_RESIZED = {
    "stretch": "stretched (bilinear)",
    "crop": "scaled, and cut about their centre",
    "pad": "scaled, and padded with black",
}


def model_header(
    graph: Graph,
    preprocessing: Preprocessing,
    name: str,
    classes: Sequence[str],
    facts: Mapping[str, object],
    application: str = "",
) -> str:
    """Return the text of NAME_model.h.

    Args:
        graph: the model.
        preprocessing: from pixels to the model's input.
        name: what its C names begin with.
        classes: their names, by number; none where nobody says.
        facts: what the runtime says of it: kernels, arena_bytes, op_count, observed_count and
            observed_bytes.
        application: declarations of what NAME_app.c defines; none where there is no such file.
    """
    prefix = name.upper()
    shapes = (row(graph.tensors[index].stored) for index in graph.sent)
    channels = graph.tensors[graph.input].hwc[2]
    return template("model.h").substitute(
        facts,
        name=name,
        NAME=prefix,
        sha256=graph.sha256,
        sha256_bytes=row(f"0x{byte:02x}" for byte in bytes.fromhex(graph.sha256)),
        tensors="".join(
            _tensor(graph, index, what, prefix) for what, index in _named(graph).items()
        ),
        input_shapes=row(f"{{{shape}}}" for shape in shapes),
        turns=_turns(graph),
        input_rows=len(graph.input_rows),
        input_bytes=graph.image_bytes,
        type=graph.tensors[graph.output].dtype.__name__,
        each="channels" if not graph.is_int16 else "bytes of a pixel",
        order=_pixel_order(channels, preprocessing),
        mean=row(map(repr, preprocessing.mean[:channels])),
        pixel_scale=repr(preprocessing.scale),
        resize=_resize(preprocessing)[0],
        resized=_resize(preprocessing)[1],
        classes=class_names(graph, classes, prefix),
        application=application,
    )


def _turns(graph: Graph) -> str:
    """Return whose rows come when, as a clause; nothing of one input."""
    whole = len(graph.inputs) - len(graph.sent_by_rows) or "none"
    turns = f": {whole} of them whole, then a row of each of the others in turn"
    return turns if len(graph.inputs) > 1 else ""


def _named(graph: Graph) -> dict[str, int]:
    """Return the tensors that a program meets, by what its macros call them.

    INPUT is the image and OUTPUT the first output; of several INPUT_0 is the first whose rows are
    taken, and OUTPUT_0 what esq_observed(0) gives.
    """
    names = {"INPUT": graph.input, "OUTPUT": graph.output}
    if graph.logits is not None:
        names["LOGITS"] = graph.logits
    if len(graph.inputs) > 1:
        names |= {f"INPUT_{number}": index for number, index in enumerate(graph.sent)}
    if len(graph.outputs) > 1:
        names |= {f"OUTPUT_{number}": index for number, index in enumerate(graph.outputs)}
    return names


def _pixel_order(channels: int, preprocessing: Preprocessing) -> str:
    """Return the order of the model's channels: rgb, bgr, grey, or any where none is known."""
    return {1: "grey", 3: preprocessing.channel_order}.get(channels, "any")


def _tensor(graph: Graph, index: int, what: str, prefix: str) -> str:
    tensor = graph.tensors[index]
    height, width, channels = tensor.hwc
    name = ""
    if what[-1].isdigit():
        said = string(tensor.name)
        name = template("tensor_name.h").substitute(NAME=prefix, TENSOR=what, string=said)
    return name + template("tensor.h").substitute(
        NAME=prefix,
        TENSOR=what,
        height=height,
        width=width,
        channels=channels,
        count=height * width * channels,
        scale=real32(tensor.scale),
        zero_point=tensor.zero_point if tensor.zero_point >= 0 else f"({tensor.zero_point})",
    )


def _resize(preprocessing: Preprocessing) -> tuple[str, str]:
    """Return how an image of another size got the model's: a word, and a clause."""
    resize = preprocessing.resize or "stretch"
    if isinstance(resize, str):
        return resize, _RESIZED[resize]
    if isinstance(resize, int):
        size, first = str(resize), f"resized to a shorter side of {resize}"
    else:
        size = f"{resize[0]}x{resize[1]}"
        first = f"resized to {size} (height x width)"
    return size, f"{first}, and cut about their centre"
