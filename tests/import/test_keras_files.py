"""Strangers' Keras files: nested, in 16 bits, of Keras 2, named wrongly, hostile."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from edgesq.errors import ModelError
from edgesq.formats.tflite import read_graph
from edgesq.limits import MAX_VALUES
from edgesq.quantize import captured_output, keras_archive, load_keras, to_int8_tflite
from edgesq.quantize.flat import flat
from edgesq.quantize.keras_config import UnknownLayerError, check_config
from support.keras_configs import LAYER, as_keras_2, chained, functional

SHAPE = (8, 9, 3)
IMAGES = np.random.default_rng(0).random((6, *SHAPE), np.float32)


def conv() -> list[Any]:
    """Return the layers that most models here share, weights by a seed."""
    keras.utils.set_random_seed(5)
    layers = keras.layers
    return [
        layers.Conv2D(4, 3, activation="relu", name="conv"),
        layers.GlobalAveragePooling2D(name="mean"),
        layers.Dense(3, activation="softmax", name="dense"),
    ]


def through(layers: list[Any], x: Any) -> Any:
    for layer in layers:
        x = layer(x)
    return x


def plain() -> keras.Model:
    image = keras.Input(SHAPE)
    return keras.Model(image, through(conv(), image))


def sequential() -> keras.Model:
    return keras.Sequential([keras.Input(SHAPE), *conv()])


def augmented() -> keras.Model:
    layers = keras.layers
    more = [layers.RandomFlip(), layers.RandomZoom(0.1), layers.GaussianNoise(0.2)]
    first, mean, dense = conv()
    return keras.Sequential(
        [keras.Input(SHAPE), *more, first, layers.SpatialDropout2D(0.5), mean, dense]
    )


def nested() -> keras.Model:
    first, *rest = conv()
    base = keras.Sequential([keras.Sequential([keras.Input(SHAPE), first]), rest[0]])
    image = keras.Input(SHAPE)
    return keras.Model(image, rest[1](base(image)))


def mixed() -> keras.Model:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        return plain()
    finally:
        keras.mixed_precision.set_global_policy("float32")


SAME = (sequential, augmented, nested, mixed)
"""They compute what `plain` does, in another wrapper."""


@pytest.fixture(scope="module")
def int8() -> bytes:
    return to_int8_tflite(plain(), IMAGES[:, np.newaxis])


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("make", SAME)
def test_the_wrapper_changes_no_int8_number(
    make: Callable[[], keras.Model], suffix: str, int8: bytes, tmp_path: Path
) -> None:
    with captured_output():
        make().save(tmp_path / f"a.{suffix}")
    loaded = load_keras(tmp_path / f"a.{suffix}", trusted=True).keras
    assert [layer.name for layer in loaded.layers][1:] == ["conv", "mean", "dense"]
    assert all(layer.compute_dtype == "float32" for layer in loaded.layers)
    np.testing.assert_array_equal(loaded(IMAGES), plain()(IMAGES))
    if suffix == "keras":
        assert numbers(to_int8_tflite(loaded, IMAGES[:, np.newaxis])) == numbers(int8)


def numbers(content: bytes) -> list[Any]:
    """Return everything in a .tflite but its names."""
    from edgesq.formats.tflite import read_graph

    graph = read_graph(content)
    return [
        (tensor.shape, tensor.quantization, None if tensor.data is None else tensor.data.tobytes())
        for tensor in graph.tensors
    ]


def shared() -> keras.Model:
    """A model that is called twice, a layer that is called twice, names that occur twice."""
    layers = keras.layers
    keras.utils.set_random_seed(1)
    inner_image = keras.Input((8, 9, 4))
    inner = keras.Model(inner_image, layers.Conv2D(4, 3, padding="same", name="c")(inner_image))
    again = layers.Conv2D(4, 1)
    image = keras.Input(SHAPE)
    x = inner(again(inner(layers.Conv2D(4, 1, name="c")(image))))
    both = layers.Concatenate()([again(x), x])
    return keras.Model(image, layers.GlobalMaxPooling2D()(keras.ops.relu(both - 0.1)))


def normalized() -> keras.Model:
    norm = keras.layers.Normalization()
    norm.adapt(IMAGES * 7 + 2)
    return keras.Sequential([keras.Input(SHAPE), norm, *conv()])


def without_channels() -> keras.Model:
    rest = [keras.layers.Flatten(), *conv()[2:]]
    return keras.Sequential([keras.Input(SHAPE[:2]), keras.layers.Rescaling(0.5), *rest])


def of_bytes() -> keras.Model:
    scale = keras.layers.Rescaling(1 / 255)
    return keras.Sequential([keras.Input(SHAPE, dtype="uint8"), scale, *conv()])


@pytest.mark.parametrize("make", [shared, normalized, without_channels, of_bytes])
def test_a_model_written_anew_computes_the_same(
    make: Callable[[], keras.Model], tmp_path: Path
) -> None:
    model = make()
    model.save(tmp_path / "a.keras")
    file = load_keras(tmp_path / "a.keras")
    loaded, source = file.keras, model.inputs[0]
    assert file.takes_pixels == (source.dtype == "uint8")
    images = np.round(IMAGES * 255) if source.dtype == "uint8" else IMAGES
    images = images[..., : loaded.input_shape[-1]]
    theirs = model(images.reshape(-1, *source.shape[1:]).astype(source.dtype))
    np.testing.assert_allclose(loaded(images), theirs, rtol=1e-6, atol=1e-7)
    assert loaded.inputs[0].dtype == "float32"
    assert not any(isinstance(layer, keras.Model) for layer in loaded.layers)


# Keras 2


@pytest.fixture(scope="module")
def keras_2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .h5 in Keras 2's terms, with most of what Keras 3 does not take."""
    layers = keras.layers
    keras.utils.set_random_seed(2)
    image = keras.Input(SHAPE, name="image")
    x = layers.Rescaling(2.0, name="scale")(image)
    x = layers.Dropout(0.5, name="drop")(x)
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv")(x))
    x = layers.DepthwiseConv2D(3, name="deep", activation="hard_sigmoid")(x)
    inner = keras.Sequential([keras.Input((4, 5, 4)), layers.Flatten(name="f")], name="inner")
    model = keras.Model(image, layers.Dense(2, name="out")(inner(x)))
    path = tmp_path_factory.mktemp("keras_2") / "a.h5"
    with captured_output():
        model.save(path)
    with h5py.File(path, "r+") as file:
        config = as_keras_2(json.loads(file.attrs["model_config"]))
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = b"2.4.0"
    return path


def by_hand(path: Path) -> Any:
    """Return what the Keras 2 model makes of `IMAGES`."""
    with h5py.File(path, "r") as file:
        found: dict[str, Any] = {}
        file["model_weights"].visititems(
            lambda name, item: found.update({name: item[()]}) if hasattr(item, "dtype") else None
        )
    weights = {"/".join(name.split("/")[-2:]): value for name, value in found.items()}
    x = keras.ops.conv(IMAGES * 2, weights["conv/kernel"]) + weights["conv/bias"]
    x = x / np.sqrt(1 + 1e-3)
    x = keras.ops.depthwise_conv(x, weights["deep/kernel"]) + weights["deep/bias"]
    x = np.clip(0.2 * np.asarray(x) + 0.5, 0, 1)
    return x.reshape(len(x), -1) @ weights["out/kernel"] + weights["out/bias"]


def test_a_file_of_keras_2_means_what_it_meant(keras_2: Path) -> None:
    loaded = load_keras(keras_2).keras
    np.testing.assert_allclose(loaded(IMAGES), by_hand(keras_2), rtol=1e-4, atol=1e-5)
    assert "block_conv" in [layer.name for layer in loaded.layers]


def test_a_name_may_end_in_another_suffix(keras_2: Path, tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(keras_2.read_bytes())
    plain().save(tmp_path / "b.keras")
    (tmp_path / "b.keras").rename(tmp_path / "b.h5")
    for name in ("a.keras", "b.h5"):
        assert load_keras(tmp_path / name, trusted=True).keras.inputs


# What is refused, by one true sentence


def film_beside() -> keras.Model:
    one, two = keras.Input(SHAPE, name="one"), keras.Input((2, 4, 2, 1), name="two")
    two_flat = keras.layers.Flatten()(two)
    return keras.Model(
        [one, two], keras.layers.Concatenate()([keras.layers.Flatten()(one), two_flat])
    )


def handed_on() -> keras.Model:
    image = keras.Input(SHAPE)
    return keras.Model(image, [image, keras.layers.Flatten()(image)])


def unread() -> keras.Model:
    image, other = keras.Input(SHAPE), keras.Input((4,), name="other")
    return keras.Model([image, other], keras.layers.Flatten()(image))


def recurrent() -> keras.Model:
    image = keras.Input(SHAPE[:2])
    return keras.Model(image, keras.layers.LSTM(2, name="memory")(image))


def diverged() -> keras.Model:
    model = plain()
    model.get_layer("conv").set_weights([np.full((3, 3, 3, 4), np.nan), np.zeros(4)])
    return model


def growing() -> keras.Model:
    image = keras.Input((32, 32, 3))
    large = keras.layers.UpSampling2D(1 << 9, name="large")(image)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(large))


def cropped_in_training_only() -> keras.Model:
    crop = keras.layers.RandomCrop(3, 3)
    return keras.Sequential([keras.Input(SHAPE), crop, keras.layers.Flatten(), *conv()[2:]])


def any_size() -> keras.Model:
    return keras.Sequential([keras.Input((None, None, 3)), *conv()])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (film_beside, r"the input shape \[2, 4, 2, 1\] is not a fixed \[H, W, C\], \[H, W\] or"),
        (handed_on, "an output is the input input_layer"),
        (unread, "the input other is read by nothing"),
        (recurrent, "has recurrent layers: memory"),
        (diverged, "the weights of conv hold values that are not finite"),
        (growing, r"shape \[16384, 16384, 3\], at most 67,108,864 values"),
        (any_size, r"the input shape \[None, None, 3\] is not a fixed"),
        (lambda: keras.Sequential(conv()), "is not built"),
        (cropped_in_training_only, r"Keras \S+ cannot run it: Input 0 .* shape \(2, 216\)"),
    ],
)
def test_models_that_cannot_be_taken(
    make: Callable[[], keras.Model], says: str, tmp_path: Path
) -> None:
    make().save(tmp_path / "a.keras")
    with pytest.raises(ModelError, match=says) as raised:
        load_keras(tmp_path / "a.keras")
    assert str(raised.value).startswith(str(tmp_path))
    assert "\n" not in str(raised.value)


def test_a_result_in_a_dictionary_is_one(tmp_path: Path) -> None:
    image = keras.Input(SHAPE)
    named = keras.Model(image, {"class": through(conv(), image)})
    named.save(tmp_path / "a.keras")
    np.testing.assert_array_equal(load_keras(tmp_path / "a.keras").keras(IMAGES), plain()(IMAGES))


def test_several_results_keep_their_names(tmp_path: Path) -> None:
    layers, image = keras.layers, keras.Input(SHAPE)
    heads = [layers.Conv2D(2, 1, name=name)(image) for name in ("last", "input", "first")]
    for outputs, names in (
        (heads, ("last", "input_", "first")),
        (dict(zip(("c", "last", "a"), heads, strict=True)), ("a", "c", "last_1")),
        ([heads[0], *keras.ops.split(heads[1], 2, -1)], None),
    ):
        keras.Model(image, outputs).save(tmp_path / "a.keras")
        model = load_keras(tmp_path / "a.keras", trusted=True).keras
        graph = read_graph(to_int8_tflite(model, [IMAGES[:1]]))
        found = tuple(graph.tensors[index].name for index in graph.outputs)
        assert found == (names or ("Identity", "Identity_1", "Identity_2"))


def test_maps_are_measured_before_they_are_computed() -> None:
    with pytest.raises(ModelError, match=r"large gives \[16384, 16384, 3\]; 67,108,864 values"):
        flat(growing(), "x")


CODE = {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        ({"class_name": "Lambda"}, "has a Lambda layer, which would run code"),
        ({"config": {"activation": CODE}}, "holds a Python function"),
        ({"config": {"function_type": "lambda"}}, "holds a Python function"),
        ({"class_name": "TFSMLayer"}, "would run another model from the disk"),
        ({"module": "subprocess", "class_name": "Popen"}, "does not know: subprocess.Popen"),
        ({"module": "keras.utils", "class_name": "get_file"}, "does not know: keras.utils"),
        ({"module": "keras.config", "class_name": "function"}, "does not know: keras.config"),
        ({"module": "keras.layers", "class_name": "function"}, "does not know: keras.layers"),
        ({"registered_name": "mine>Own"}, "does not know: mine>Own"),
        ({"registered_name": "tfmot>PruneLowMagnitude"}, r"off first: .*strip_pruning\(model"),
        ({"module": 7}, "names a class by something else than text"),
        ({"config": {"strides": [1 << 40, 1]}}, "a number beyond 16,777,216 for strides"),
        ({"config": {"units": 1 << 40}}, "a number beyond 16,777,216 for units"),
        ({"config": {"filters": 10**400}}, "a number beyond 16,777,216 for filters"),
        ({"config": {"batch_shape": [None, 60000, 60000, 3]}}, r"shape \[60000, 60000, 3\]"),
        ({"config": {"batch_shape": [None, -4, 4, 3]}}, r"shape \[-4, 4, 3\]"),
        ({"inbound_nodes": [[["a", 0, 0, {"training": True}]]]}, "as in training"),
        ({"inbound_nodes": [[["a", 0, 0, {}]]] * 30_000}, "3e.04 layers"),
    ],
)
def test_configurations_are_looked_at_before_keras_sees_them(
    layer: dict[str, Any], says: str
) -> None:
    check_config(functional([LAYER]), "x")
    with pytest.raises(ModelError, match=says) as raised:
        check_config(functional([{**LAYER, **layer}]), "x")
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    "change",
    [{"dtype": ["float32"]}, {"name": ["a"]}, {"inbound_nodes": [7]}, None, {"config": 7}],
)
def test_configurations_of_another_build_are_damaged(
    change: dict[str, Any] | None, tmp_path: Path
) -> None:
    plain().save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    layer = config["config"]["layers"][1]
    config["config"]["layers"][1] = change if change is None else {**layer, **change}
    with zipfile.ZipFile(tmp_path / "b.keras", "w") as archive:
        for name, content in (members | {"config.json": json.dumps(config).encode()}).items():
            archive.writestr(name, content)
    with pytest.raises(ModelError) as raised:
        load_keras(tmp_path / "b.keras", trusted=True)
    assert str(raised.value).startswith(str(tmp_path))


def test_models_that_double_again_and_again_are_counted() -> None:
    check_config(chained(10), "x")
    with pytest.raises(ModelError, match=r"2\.\d+e\+09 layers with nested models written out"):
        check_config(chained(30), "x")


def test_own_layers_of_this_process_are_known() -> None:
    config = functional([{**LAYER, "registered_name": "mine>Own"}])
    check_config(config, "x", frozenset({"mine>Own"}))
    with pytest.raises(UnknownLayerError):
        check_config(config, "x", frozenset({"mine>Other"}))


def test_files_that_are_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain().save_weights(tmp_path / "a.weights.h5")
    plain().save(tmp_path / "b.keras")
    with zipfile.ZipFile(tmp_path / "c.keras", "w") as archive:
        archive.writestr("notes.txt", "none")
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.attrs["model_config"] = "{}"
        file["elsewhere"] = h5py.ExternalLink("/etc/other.h5", "/")
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file.attrs["model_config"] = "{}"
        file.create_dataset("huge", (MAX_VALUES + 1,), "f4", chunks=(1024,))
    for name, says in (
        ("a.weights.h5", "holds weights only, no model"),
        ("c.keras", "is a zip archive without a model"),
        ("d.h5", "takes data from another file"),
        ("e.h5", "is larger than"),
    ):
        with pytest.raises(ModelError, match=says):
            keras_archive.read_config(tmp_path / name)
    monkeypatch.setattr(keras_archive, "MAX_FILE_BYTES", 12_000)
    with pytest.raises(ModelError, match="is larger than"):
        keras_archive.read_config(tmp_path / "b.keras")
