"""The application's side of a model: NAME_app.c, and what NAME_model.h declares of it."""

from collections.abc import Mapping

import numpy as np

from edgesq.calibrate import Judge, Preprocessing, judge_of
from edgesq.codegen.text import template
from edgesq.graph import Graph
from edgesq.kernels.initializer import rows

_LEVELS = np.arange(-128, 128)
_NEVER = 128
"""Above every int8."""


def application_source(
    graph: Graph, preprocessing: Preprocessing, name: str, *, has_streams: bool
) -> str:
    """Return NAME_app.c: the model's int8 input for each pixel value, and functions over it.

    Args:
        graph: the model; with another number of channels than 1 or 3 all are as the first.
        preprocessing: from pixels to the model's input.
        name: what its C names begin with.
        has_streams: whether weights are decoded on the board, which are then checked first.
    """
    tensor = graph.tensors[graph.input]
    channels = tensor.hwc[2]
    known = channels if channels == 3 else 1
    grey = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis], known, axis=1)
    table = preprocessing.to_int8(grey, tensor.scale, tensor.zero_point).T
    judge = judge_of(graph)
    is_reversed = channels == 3 and preprocessing.channel_order == "bgr"
    names = {"name": name, "NAME": name.upper()}
    is_several = len(graph.inputs) > 1
    return template("app.c").substitute(
        names,
        sha256=graph.sha256,
        channels=channels,
        levels="\n".join(
            f"    {{\n{rows(table[channel % known].tolist())}\n    }},"
            for channel in range(channels)
        ),
        damaged="esq_damaged_weights" if has_streams else "0",
        is_reversed=int(is_reversed),
        given=template("app_given.c").substitute(count=len(graph.inputs)) if is_several else "",
        given_pointer="given" if is_several else "0",
        image=graph.sent.index(graph.input),
        several=_several(graph, names, "c"),
        one_from=0 if isinstance(judge, str) else _one_from(graph, judge),
        classifying=""
        if isinstance(judge, str)
        else template("app_class.c").substitute(names).rstrip("\n"),
    )


def application_header(graph: Graph, name: str) -> str:
    """Return the declarations of NAME_app.c."""
    names = {"name": name, "NAME": name.upper()}
    if graph.is_int16:
        return template("app_int16.h").substitute(names)
    judge = judge_of(graph)
    if isinstance(judge, str):
        classifying = template("app_no_class.h").substitute(names, reason=judge)
    else:
        classifying = template("app_class.h").substitute(names, rule=_rule(graph, judge))
    return template("app.h").substitute(
        names, classifying=classifying.rstrip("\n"), several=_several(graph, names, "h")
    )


def _several(graph: Graph, names: Mapping[str, str], suffix: str) -> str:
    """Return what a model with several inputs or outputs, or with state, has besides."""
    image = graph.sent.index(graph.input)
    parts = []
    if len(graph.inputs) > 1:
        parts.append(template(f"app_inputs.{suffix}").substitute(names, image=image))
    if len(graph.outputs) > 1:
        count = len(graph.outputs)
        parts.append(template(f"app_outputs.{suffix}").substitute(names, count=count))
    if graph.stateful:
        parts.append(template(f"app_state.{suffix}").substitute(names))
    return "".join(parts)


def _rule(graph: Graph, judge: Judge) -> str:
    """Say in a clause how the outputs become a class."""
    if judge.is_sigmoid:
        return "1 where the output is above 0.5"
    of = "output" if graph.logits is None else "logits"
    return f"the largest of the {of}, the lowest of equal ones"


def _one_from(graph: Graph, judge: Judge) -> int:
    """Return from which int8 on a single output says class 1; 0 where there are several."""
    if not judge.is_sigmoid:
        return 0
    tensor = graph.tensors[graph.scores]
    reals = (_LEVELS - tensor.zero_point).astype(np.float32) * np.float32(tensor.scale)
    says = judge.scores(reals[:, np.newaxis]).argmax(axis=1)
    return int(_LEVELS[says.argmax()]) if says.any() else _NEVER
