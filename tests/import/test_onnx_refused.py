"""ONNX files that cannot be taken: everything is named at once, with its place and what to do."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgesq.errors import ModelError
from edgesq.importers.onnx import import_onnx
from support.onnx_models import OnnxNetwork, lenet
from support.onnx_quantized import USUAL, QuantNetwork


def refusal(model: onnx.ModelProto | bytes, folder: Path) -> ModelError:
    path = folder / "model.onnx"
    content = model if isinstance(model, bytes) else model.SerializeToString()
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        import_onnx(path)
    assert caught.value.where == str(path)
    assert caught.value.hint
    return caught.value


def small() -> tuple[OnnxNetwork, str]:
    net = OnnxNetwork((3, 6, 8))
    return net, net.conv(net.input, 4)


def test_all_unknown_operators_at_once(tmp_path: Path) -> None:
    net, step = small()
    step = net.node("Shrink", net.node("Erf", step))
    step = net.node("LRN", net.node("Erf", step), size=3)
    error = refusal(net.model(step), tmp_path)
    assert error.message == (
        "cannot be taken: Erf (/erf1/Erf, /erf3/Erf); Shrink (/shrink2/Shrink); LRN (/lrn4/LRN)"
    )
    assert error.hint == (
        "Erf: train with Relu, LeakyRelu or HardSwish instead of GELU; Shrink: rewrite it by the "
        "operators that are known, or cut the model before it; LRN: train with BatchNormalization"
    )


def test_operators_of_other_makers(tmp_path: Path) -> None:
    net, step = small()
    model = net.model(step)
    node = helper.make_node("Mystery", [step], ["end"], name="/mystery", domain="com.example")
    model.graph.node.append(node)
    model.graph.output[0].name = "end"
    assert "com.example.Mystery (/mystery)" in refusal(model, tmp_path).message


def test_dynamic_quantization(tmp_path: Path) -> None:
    net, step = small()
    pixels, scale, point = (f"dynamic_{end}" for end in ("pixels", "scale", "point"))
    node = helper.make_node("DynamicQuantizeLinear", [step], [pixels, scale, point], name="q")
    net.nodes.append(node)
    model = net.model(net.node("DequantizeLinear", pixels, scale, point))
    error = refusal(model, tmp_path)
    assert error.message == "cannot be taken: DynamicQuantizeLinear (q)"
    assert "quantize_static" in str(error.hint)


FORMS: dict[str, tuple[Callable[[OnnxNetwork, str], str], str]] = {
    "cubic": (
        lambda net, step: net.node("Resize", step, "", net.floats([1, 1, 2, 2]), mode="cubic"),
        r"Resize in mode cubic to \[12, 16, 4\] \(resize1_Resize\)",
    ),
    "transposed_groups": (
        lambda net, step: net.node(
            "ConvTranspose", step, net.floats(np.ones((4, 1, 2, 2))), group=4
        ),
        r"ConvTranspose in groups \(convtranspose1_ConvTranspose\)",
    ),
    "channels_mixed_with_rows": (
        lambda net, step: net.conv(
            net.node(
                "Reshape",
                net.node(
                    "Transpose",
                    net.node("Reshape", step, net.ints([1, 2, 2, 6, 8])),
                    perm=[0, 1, 3, 2, 4],
                ),
                net.ints([1, 4, 6, 8]),
                channels=4,
            ),
            2,
        ),
        r"Conv of transposed values \(conv4_Conv\)",
    ),
    "softmax": (
        lambda net, step: net.node("Softmax", step, axis=2),
        r"Softmax over dimension 2 \(softmax1_Softmax\)",
    ),
    "average_pool": (
        lambda net, step: net.node(
            "AveragePool", step, kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1]
        ),
        r"AveragePool padded by \(1, 1, 1, 1\)",
    ),
    "cast": (
        lambda net, step: net.node(
            "Cast", net.node("Cast", step, to=TensorProto.INT32), to=TensorProto.FLOAT
        ),
        r"Cast of an activation \(cast1_Cast, cast2_Cast\)",
    ),
    "flattened": (
        lambda net, step: net.node("Flatten", step),
        "the result is flattened from a map",
    ),
    "matmul_of_two": (
        lambda net, step: net.node("MatMul", step, net.node("Transpose", step, perm=[0, 1, 3, 2])),
        r"MatMul by a computed operand",
    ),
    "crd": (
        lambda net, step: net.node("DepthToSpace", step, blocksize=2, mode="CRD"),
        "DepthToSpace in mode CRD",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_known_operators(name: str, tmp_path: Path) -> None:
    build, says = FORMS[name]
    net, step = small()
    error = refusal(net.model(build(net, step)), tmp_path)

    assert re.search(says, error.message), error.message


def test_two_problems_of_form_are_one_error(tmp_path: Path) -> None:
    net, step = small()
    step = net.node("DepthToSpace", step, blocksize=2, mode="CRD", channels=1)
    step = net.node("Resize", step, "", net.floats([1, 1, 2, 2]), mode="cubic")
    error = refusal(net.model(step), tmp_path)
    assert "CRD (depthtospace1_DepthToSpace); Resize in mode cubic" in error.message


# Files


def edited(**fields: Any) -> onnx.ModelProto:
    model = lenet()
    tensor = model.graph.input[0].type.tensor_type
    if "elem_type" in fields:
        tensor.elem_type = fields["elem_type"]
    for index, size in fields.get("dims", {}).items():
        tensor.shape.dim[index].dim_param = size
    return model


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (b"onnx", "cannot be read as ONNX"),
        (b"", "this is not an ONNX model"),
        (lenet().SerializeToString()[:3000], "cannot be read as ONNX"),
        (edited(dims={2: "height"}), "an input shape [1, 1, 'height', 20], which is not one image"),
        (edited(elem_type=TensorProto.STRING), "an input that is string (image)"),
    ],
)
def test_bad_files(model: Any, says: str, tmp_path: Path) -> None:
    assert says in refusal(model, tmp_path).message


def test_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    net, step = small()
    model = net.model(net.node("Erf", step))
    second = helper.make_tensor_value_info("second", TensorProto.FLOAT, [1, 4, "height", 8])
    model.graph.input.append(second)
    model.graph.output.append(second)
    assert refusal(model, tmp_path).message == (
        "cannot be taken: an input shape [1, 4, 'height', 8], which is not one image of fixed size "
        "(second); Erf (/erf1/Erf)"
    )


# Int8


def test_weights_whose_zero_points_do_not_fit(tmp_path: Path) -> None:
    net = QuantNetwork()
    values = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 2, 2) * 4
    step = net.node("Conv", net.image(), net.stored(values, 0.01, 100), channels=5)
    error = refusal(net.finished(net.between(step)), tmp_path)
    assert "weights of zero points 100 to 100, 5.0% of them out of int8 without" in error.message
    assert "QuantType.QInt8" in str(error.hint)


def test_float_weights_among_quantized_ones(tmp_path: Path) -> None:
    net = QuantNetwork()
    weights = net.constant(np.ones((4, 3, 1, 1), np.float32))
    step = net.between(net.node("Conv", net.image(), weights, channels=4))
    assert "float weights (conv2_Conv)" in refusal(net.finished(step), tmp_path).message


def test_sixteen_bits(tmp_path: Path) -> None:
    net = QuantNetwork()
    net.dtype = np.uint16  # type: ignore[assignment] # what is refused
    model = net.finished(net.between(net.node("Relu", net.input), USUAL))
    model.opset_import[0].version = 21
    assert "QuantizeLinear to uint16" in refusal(model, tmp_path).message


def test_a_file_of_a_later_onnx_names_both_versions(tmp_path: Path) -> None:
    net, step = small()
    model = net.model(step)
    model.ir_version = 99
    assert re.search(
        r"\.\.\. .*IR version: 99, max supported IR version: \d+", refusal(model, tmp_path).message
    )
