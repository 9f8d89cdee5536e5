"""Float ONNX becomes a Keras model that computes the same, without a transposition."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx_cases import CASES
from onnx_models import lenet, mobilenet_v2, noise, resnet_8, squeezenet

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
