"""The parameters of what keeps state, as C data. Mirror: firmware/include/esq_sequence.h."""

from edgesq.codegen.params.fields import Params, op_array
from edgesq.graph import Graph
from edgesq.kernels.initializer import Fields, array, struct
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Lstm, Svdf
from edgesq.sequences import Rescale, cell_bits, gate_numbers, lstm_output, svdf_rescales


def _svdf(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, Svdf)
    of_input, of_kept = svdf_rescales(graph, op)
    times = graph.constant(op.times)
    fields = {
        "features": f"features_{index}",
        "times": f"times_{index}",
        "bias": f"bias_{index}",
        "input_multiplier": of_input.multiplier,
        "kept_multiplier": of_kept.multiplier,
        "input_shift": of_input.shift,
        "kept_shift": of_kept.shift,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        "memory": times.shape[1],
        "rank": op.rank,
    }
    features = graph.constant(op.features).reshape(-1).tolist()
    return (
        op_array("int8_t", "features", features, op, index)
        + op_array("int16_t", "times", times.reshape(-1).tolist(), op, index)
        + op_array("int32_t", "bias", graph.constant(op.bias).tolist(), op, index)
        + struct("esq_svdf", f"params_{index}", fields)
    )


def _lstm(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, Lstm)
    arrays, gates = "", list[Fields]()
    for number, gate in enumerate(op.gates):
        numbers, place = gate_numbers(graph, op, gate), f"{index}_{number}"
        arrays += _constants(graph, op, gate.weights, f"weights_{place}")
        arrays += _constants(graph, op, gate.recurrent, f"recurrent_{place}")
        for name, bias in (
            ("bias", numbers.input_bias),
            ("recurrent_bias", numbers.recurrent_bias),
        ):
            arrays += array("int32_t", f"{name}_{place}", bias.tolist(), layer=op.name)
        gates.append(
            {
                **{
                    name: f"{name}_{place}"
                    for name in ("weights", "recurrent", "bias", "recurrent_bias")
                },
                "of_input": _factor(numbers.of_input),
                "of_recurrent": _factor(numbers.of_recurrent),
            }
        )
    fields: Fields = {
        "gates": gates,
        "product": _factor(lstm_output(op)),
        "clip": op.clip,
        "output_zp": op.product[1],
        "cell_bits": cell_bits(op),
    }
    return arrays + struct("esq_lstm", f"params_{index}", fields)


def _constants(graph: Graph, op: Lstm, tensor: int, name: str) -> str:
    return array("int8_t", name, graph.constant(tensor).reshape(-1).tolist(), layer=op.name)


def _factor(rescale: Rescale) -> Fields:
    return {"multiplier": rescale.multiplier, "shift": rescale.shift}


PARAMS: Params = {Lstm: _lstm, Svdf: _svdf}
