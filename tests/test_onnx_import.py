"""Float ONNX becomes a Keras model that computes the same, without a transposition."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_cases import CASES
from onnx_models import OnnxNetwork, lenet, mobilenet_v2, noise, resnet_8, squeezenet

from edgesq.errors import ModelError
from edgesq.importers.onnx import TOLERANCE, ImportedFloat, import_onnx

MODELS = {build.__name__: build for build in (squeezenet, mobilenet_v2, resnet_8, lenet)}


@pytest.mark.parametrize("name", [*CASES, *MODELS])
def test_keras_equals_onnx_runtime(name: str, tmp_path: Path) -> None:
    """The import compares by itself too; here with an image as the file has it."""
    import onnxruntime

    model = (CASES | MODELS)[name]()
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    made = import_onnx(path)
    assert isinstance(made, ImportedFloat)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0].name
    for image in noise(model, 2):
        (theirs,) = session.run(None, {source: image})
        is_nchw = image.ndim == 4 and not name.startswith("channels_last")
        pixels = image.transpose(0, 2, 3, 1) if is_nchw else image
        mine = np.asarray(made.keras(pixels.reshape(1, *made.keras.inputs[0].shape[1:])))
        if theirs.ndim == 4:
            theirs = theirs.transpose(0, 2, 3, 1)
        theirs = theirs.reshape(mine.shape)
        assert theirs.std() > 0
        np.testing.assert_allclose(mine, theirs, atol=TOLERANCE * np.abs(theirs).max(), rtol=0)


def test_weights_in_a_file_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(lenet(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert isinstance(import_onnx(path), ImportedFloat)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelError, match="is not beside the model"):
        import_onnx(path)


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    net = OnnxNetwork((3, 4, 5), opset=13)
    how: dict[str, Any] = {
        "nearest_mode": "floor",
        "mode": "nearest",
        "coordinate_transformation_mode": "tf_half_pixel_for_nn",
    }
    step = net.node("Resize", net.conv(net.input, 4), "", net.floats([1, 1, 2, 2]), **how)
    onnx.save(net.model(step), tmp_path / "model.onnx")
    capfd.readouterr()
    import_onnx(tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")
