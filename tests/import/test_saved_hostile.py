"""SavedModels are programs: nothing of one runs before all that would is known to compute only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesq.errors import ModelError
from edgesq.quantize import load_saved_model, saved_graph
from edgesq.quantize.saved_graph import read_saved
from edgesq.quantize.saved_model import _load as load_here

SHAPE = (8, 8, 3)
IMAGES = np.random.default_rng(0).random((3, *SHAPE), np.float32)


def saved(
    function: Callable[[Any], Any], folder: Path, shape: tuple[int, ...] = SHAPE, dtype: str = ""
) -> Path:
    import tensorflow as tf

    spec = tf.TensorSpec((None, *shape), dtype or tf.float32)
    traced = tf.function(function, input_signature=[spec]).get_concrete_function()
    tf.saved_model.save(tf.Module(), str(folder), signatures=traced)
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_here(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_is_written_by_a_model_that_writes(tmp_path: Path) -> None:
    import tensorflow as tf

    target = str(tmp_path / "written")

    def beside(image: Any) -> Any:
        tf.io.write_file(target, "here")
        return tf.reduce_mean(image, (1, 2))

    def between(image: Any) -> Any:
        with tf.control_dependencies([tf.io.write_file(target, "here")]):
            return tf.identity(image) * 2.0

    for name, function in (("beside", beside), ("between", between)):
        assert "do more than compute or are not known: WriteFile" in refused(
            saved(function, tmp_path / name)
        )
    assert not Path(target).exists()


def test_python_and_loops_are_refused(tmp_path: Path) -> None:
    import tensorflow as tf

    def python(image: Any) -> Any:
        return tf.ensure_shape(tf.py_function(lambda x: x, [image], tf.float32), (None, *SHAPE))

    def loop(image: Any) -> Any:
        return tf.while_loop(lambda x: tf.reduce_sum(x) < 9, lambda x: [x + 1], [image])[0]

    assert "EagerPyFunc" in refused(saved(python, tmp_path / "python"))
    assert "has loops or branches (StatelessWhile)" in refused(saved(loop, tmp_path / "loop"))


def test_functions_that_double_are_counted(tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    inner = tf.function(lambda x: x * 2.0)
    folder = saved(lambda x: inner(inner(x)), tmp_path / "a")
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((folder / "saved_model.pb").read_bytes())
    library = model.meta_graphs[0].graph_def.library
    called = next(one for one in library.function if any(n.op == "Mul" for n in one.node_def))
    calling = next(
        one
        for one in library.function
        if sum(n.attr["f"].func.name == called.signature.name for n in one.node_def) == 2
    )
    for level in range(30):  # each calls the one before twice
        twice = library.function.add()
        twice.CopyFrom(calling)
        twice.signature.name = f"level_{level}"
        for node in calling.node_def:
            if node.attr["f"].func.name:
                node.attr["f"].func.name = twice.signature.name
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())
    assert "operators with all functions written out, at most 20,000 are read" in refused(folder)


def test_a_file_of_many_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(lambda x: x * 2.0, tmp_path / "a")
    monkeypatch.setattr(saved_graph, "MAX_FILE_BYTES", 1000)
    with pytest.raises(ModelError, match="is larger than"):
        read_saved(folder)


def test_a_huge_input_is_refused(tmp_path: Path) -> None:
    folder = saved(lambda x: x * 2.0, tmp_path / "a", (60_000, 60_000, 3))
    assert "the input shape [60000, 60000, 3]" in refused(folder)


def test_a_huge_stride_is_refused(tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    kernel = np.ones((1, 1, 3, 2), np.float32)
    folder = saved(lambda x: tf.nn.conv2d(x, kernel, 7, "VALID"), tmp_path / "a")
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((folder / "saved_model.pb").read_bytes())
    for function in model.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "Conv2D":
                node.attr["strides"].list.i[1] = 1 << 40
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())
    assert "has a number of more than 16,777,216 for strides" in refused(folder)


def test_augmentation_is_taken_out(tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(4)
    layers = keras.layers
    body = [layers.Conv2D(4, 3, activation="relu"), layers.GlobalAveragePooling2D()]
    plain = keras.Sequential([keras.Input(SHAPE), *body])
    flipped = [layers.RandomFlip("horizontal_and_vertical"), layers.Dropout(0.5)]
    model = keras.Sequential([keras.Input(SHAPE), *flipped, *body])
    model.export(tmp_path / "a", verbose=False)
    loaded = load_saved_model(tmp_path / "a").keras
    for _ in range(3):
        np.testing.assert_allclose(loaded(IMAGES), plain(IMAGES), atol=1e-6)


def test_numbers_drawn_in_inference_are_named(tmp_path: Path) -> None:
    import tensorflow as tf

    folder = saved(lambda x: x + tf.random.stateless_uniform((8, 8, 3), (1, 2)), tmp_path / "a")
    assert "draws random numbers in inference too" in refused(folder)


def test_bytes_and_images_without_channels(tmp_path: Path) -> None:
    import tensorflow as tf

    def of_bytes(image: Any) -> Any:
        return tf.reduce_mean(tf.cast(image, tf.float32) / 255.0, (1, 2))

    loaded = load_here(saved(of_bytes, tmp_path / "bytes", dtype="uint8"))
    assert loaded.takes_pixels
    np.testing.assert_allclose(loaded.keras(IMAGES * 255), IMAGES.mean((1, 2)), rtol=1e-5)
    flat = load_here(saved(lambda x: tf.reduce_mean(x, 2) * 2.0, tmp_path / "flat", SHAPE[:2]))
    assert not flat.takes_pixels
    np.testing.assert_allclose(flat.keras(IMAGES[..., :1]), IMAGES[..., 0].mean(2) * 2, rtol=1e-5)
    folder = saved(lambda x: tf.bitwise.invert(x), tmp_path / "invert", dtype="uint8")
    assert "Invert" in refused(folder)
