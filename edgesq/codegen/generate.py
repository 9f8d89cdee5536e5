"""Lay out the whole model as C text."""

from collections.abc import Iterator, Mapping, Sequence

from edgesq.calibrate import Preprocessing
from edgesq.codegen.application import application_header, application_source
from edgesq.codegen.header import model_header
from edgesq.codegen.names import DEFAULT_NAME
from edgesq.codegen.params.fused import fused_params
from edgesq.codegen.params.table import params
from edgesq.codegen.text import template
from edgesq.graph import Graph, digest
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.initializer import (
    Fields,
    comment,
    hex_bytes,
    in_ram,
    initializer,
    row,
    rows,
    structs,
)
from edgesq.kernels.kernel import PORTABLE, WIDE
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Access, Convolution, Stateful
from edgesq.plan import CODED_END, CODED_INPUT, Plan, coded_steps

LAYOUT_VERSION = 6
"""Mirror: ESQ_LAYOUT_VERSION in edgesq.h."""


def generate(
    graph: Graph,
    plan: Plan,
    kernels: str,
    name: str = DEFAULT_NAME,
    classes: Sequence[str] = (),
    preprocessing: Preprocessing | None = None,
) -> dict[str, str]:
    """Return the model as C, file name to text: NAME_model.h, .c, NAME_app.c, model_data.h.

    Of int16 there is no NAME_app.c, which begins with pixels.

    Args:
        graph: the model.
        plan: where its rows live and in which order its operators run.
        kernels: kernel family the weights are packed for; "portable" keeps OHWI.
        name: what its C names begin with; `check_name` has passed it.
        classes: their names, by number; none where nobody says.
        preprocessing: from pixels to the model's input; None for what is usual.

    Raises:
        ModelError: a window taller than the runtime's rings allow.
    """
    names = {"name": name, "NAME": name.upper()}
    pixels = preprocessing or Preprocessing()
    application = application_header(graph, name)
    applied = {}
    if not graph.is_int16:
        has_streams = any(item.kernel.coded for item in plan.ops)
        source = application_source(graph, pixels, name, has_streams=has_streams)
        applied = {f"{name}_app.c": source}
    facts = _facts(graph, plan, kernels)
    return {
        f"{name}_model.h": model_header(graph, pixels, name, classes, facts, application),
        f"{name}_model.c": _source(graph, plan, kernels, names),
        **applied,
        "model_data.h": template("model_data.h").substitute(names, each=_times(graph)),
    }


def _times(graph: Graph) -> str:
    """Return by what the channels of the image are multiplied to be bytes."""
    size = graph.tensors[graph.input].value_bytes
    return "" if size == 1 else f"{size}u * "


def tflite_array(content: bytes, name: str) -> dict[str, str]:
    """Return the .tflite as an aligned C array for a TensorFlow Lite Micro project."""
    values = {
        "name": comment(name),
        "sha256": digest(content),
        "bytes": len(content),
        "content": hex_bytes(content),
    }
    return {
        f"model_tflite.{suffix}": template(f"tflite_array.{suffix}").substitute(values)
        for suffix in ("h", "c")
    }


def _facts(graph: Graph, plan: Plan, kernels: str) -> dict[str, object]:
    observed = [slot for slot in (plan.slots[number] for number in graph.observed) if slot]
    return {
        "kernels": kernels,
        "arena_bytes": plan.arena_bytes,
        "op_count": len(plan.ops),
        "observed_count": len(observed),
        "observed_bytes": sum(slot.height * slot.width * slot.channels for slot in observed),
    }


def _source(graph: Graph, plan: Plan, kernels: str, names: Mapping[str, str]) -> str:
    numbers = [number for number, slot in enumerate(plan.slots) if slot]
    places = {number: f"&slots[{place}]" for place, number in enumerate(numbers)}
    texts = [
        _fused(graph, plan, index, places) if item.chain else params(graph, item, index)
        for index, item in enumerate(plan.ops)
    ]
    texts = [in_ram(text) if index in plan.in_ram else text for index, text in enumerate(texts)]
    states = [*_states(plan)]
    streams = [f"&stream_{index}" for index, item in enumerate(plan.ops) if item.kernel.coded]
    return template("model.c").substitute(
        names,
        sha256=graph.sha256,
        layout_version=LAYOUT_VERSION,
        kernels=kernels,
        operators=_header_of(kernels),
        core_has=FAMILIES[kernels].core_has,
        core_hint=FAMILIES[kernels].core_hint,
        slots="\n".join(_slot(graph, plan, number) for number in numbers),
        params="\n".join(text for text in texts if text),
        ops="\n".join(
            _op(plan, index, places, _function(item), text)
            for index, (item, text) in enumerate(zip(plan.ops, texts, strict=True))
        ),
        schedule=rows(coded_steps(plan.steps)),
        step_input=CODED_INPUT,
        step_end=CODED_END,
        observed=row(places[number] for number in graph.observed),
        input=places[graph.input],
        inputs=row(places[number] for number in graph.sent),
        input_count=len(graph.inputs),
        whole_inputs=len(graph.inputs) - len(graph.sent_by_rows),
        arena_bytes=plan.arena_bytes,
        progress_offset=plan.progress.offset,
        op_count=len(plan.ops),
        observed_count=len(graph.observed),
        streams=structs("struct esq_stream *const", "streams", streams) if streams else "",
        stream_count=len(streams),
        streams_pointer="streams" if streams else "0",
        states=structs("struct esq_state", "states", states) if states else "",
        state_count=len(states),
        states_pointer="states" if states else "0",
    )


def _fused(graph: Graph, plan: Plan, index: int, places: Mapping[int, str]) -> str:
    maxima = plan.sums[index].offset if index in plan.sums else 0
    return fused_params(graph, plan.ops[index], index, places, plan.work[index].offset, maxima)


def _states(plan: Plan) -> Iterator[Fields]:
    """Yield what a reset writes: each state of each operator, one behind the other."""
    for index, item in sorted(plan.states.items()):
        op, offset = plan.ops[index].op, item.offset
        assert isinstance(op, Stateful)
        for state in op.states:
            yield {"offset_bytes": offset, "bytes": state.bytes, "value": state.zero_point}
            offset += state.bytes


def _function(item: RowOp) -> str:
    op = item.op
    is_wide = isinstance(op, Convolution) and op.wide is not None and item.chain is None
    return WIDE if is_wide else item.kernel.function


def _header_of(kernels: str) -> str:
    """Return the header that declares a kernel family's operators, and the portable ones."""
    return "esq_ops.h" if kernels == PORTABLE else f"esq_{kernels}_ops.h"


def _slot(graph: Graph, plan: Plan, number: int) -> str:
    slot = plan.slots[number]
    assert slot is not None
    ring = plan.rings[slot.storage]
    values = (
        ring.offset + slot.offset_bytes,
        slot.row_bytes,
        ring.ring_rows,
        slot.height,
        slot.width,
        slot.channels,
        slot.pixel_bytes,
        slot.row_offset,
    )
    return f"    {initializer(values)}, /* {comment(_written_by(graph, plan, number))} */"


def _written_by(graph: Graph, plan: Plan, number: int) -> str:
    """Return the name of the layer whose output a slot is."""
    if number in graph.inputs:
        return "the input"
    writers = [*(op for op in graph.ops if op.output == number)]
    writers += [item.op for item in plan.ops if item.output == number]
    return writers[0].name


def _op(plan: Plan, index: int, places: Mapping[int, str], run: str, text: str) -> str:
    item = plan.ops[index]
    sums, work = plan.sums.get(index) or plan.states.get(index), plan.work.get(index)
    fields: Fields = {
        "run": run,
        "params": f"&params_{index}" if text else "0",
        "input": [places[number] for number in item.inputs],
        "output": places[item.output],
        "sums_offset_bytes": sums.offset if sums else 0,
        "work_offset_bytes": work.offset if work else 0,
        "band_units": item.band_units,
        "takes_maximum": int(item.access is Access.MAXIMUM),
    }
    layers = comment(" > ".join(op.name for op in item.ops))
    return f"    /* {index}: {layers} */\n    {initializer(fields, 1)},"
