"""Architectures: parameter counts, map sizes, bypasses and metaparameters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgesq.errors import ModelError
from edgesq.zoo import train_cifar
from edgesq.zoo.pruning import Pruning
from edgesq.zoo.squeezenet import (
    V1_1_SMALL,
    Metaparameters,
    fold_batch_norm,
    squeezenet,
    squeezenet_v1_0,
    squeezenet_v1_1,
)

pytestmark = pytest.mark.slow

Build = Callable[..., keras.Model]


@pytest.mark.parametrize(
    ("build", "classes", "parameters"),
    [
        (squeezenet_v1_0, 1000, 1_248_424),
        (squeezenet_v1_1, 1000, 1_235_496),
        (squeezenet_v1_0, 10, 740_554),
        (squeezenet_v1_1, 10, 727_626),
    ],
)
def test_parameter_count_is_the_published_one(build: Build, classes: int, parameters: int) -> None:
    assert build((64, 64, 3), classes).count_params() == parameters
    assert build((64, 64, 3), classes, bypass="simple").count_params() == parameters


@pytest.mark.parametrize(
    ("build", "size", "sizes"),
    [
        (squeezenet_v1_0, 224, (109, 54, 27, 13)),
        (squeezenet_v1_0, 227, (111, 55, 27, 13)),
        (squeezenet_v1_1, 224, (111, 55, 27, 13)),
        (squeezenet_v1_1, 227, (113, 56, 28, 14)),
        (squeezenet_v1_1, 32, (15, 7, 3, 1)),
        (squeezenet_v1_0, 7, (1, 1, 1, 1)),
    ],
)
def test_map_sizes_are_those_of_ceil_mode_pools(
    build: Build, size: int, sizes: tuple[int, ...]
) -> None:
    model = build((size, size, 3), 10)
    names = [layer.name for layer in model.layers if layer.name.startswith("pool")][:3]
    maps = [model.get_layer(name).output.shape for name in ("conv1", *names)]
    assert tuple(shape[1] for shape in maps) == sizes


def ceil_max_pool(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pool [H, W, C] as Caffe does: windows 3x3, stride 2, the last one possibly partial."""
    rows, columns = (range(0, max(size - 2, 1) + (size % 2 == 0), 2) for size in x.shape[:2])
    return np.array([[x[i : i + 3, j : j + 3].max((0, 1)) for j in columns] for i in rows])


@pytest.mark.parametrize("shape", [(31, 31, 3), (33, 33, 3), (31, 33, 3), (34, 51, 3)])
def test_pools_keep_the_last_partial_window(shape: tuple[int, int, int]) -> None:
    model = squeezenet_v1_1(shape, 4)
    names = [layer.name for layer in model.layers]
    pool = "pool1" if "pool1" in names else "pool1_columns"
    ends = [model.get_layer(name).output for name in ("conv1", pool)]
    image = np.random.default_rng(1).random((1, *shape), np.float32)
    before, after = keras.Model(model.input, ends)(image)
    np.testing.assert_array_equal(after[0], ceil_max_pool(np.asarray(before[0])))


def added(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers if isinstance(layer, keras.layers.Add)]


def test_simple_bypass_goes_round_every_second_fire_module() -> None:
    names = [f"fire{number}_bypass" for number in (3, 5, 7, 9)]
    assert added(squeezenet_v1_0((64, 64, 3), 10, bypass="simple")) == names
    assert added(squeezenet_v1_1((64, 64, 3), 10, bypass="simple")) == names
    assert added(squeezenet_v1_0((64, 64, 3), 10)) == []


def test_complex_bypass_convolves_where_channels_change() -> None:
    model = squeezenet_v1_0((64, 64, 3), 10, bypass="complex")
    assert added(model) == [f"fire{number}_bypass" for number in range(2, 10)]
    extra = sum(inner * outer + outer for inner, outer in [(96, 128), (128, 256), (256, 384)])
    assert model.count_params() == 740_554 + extra + 384 * 512 + 512
    around = [layer for layer in model.layers if layer.name.endswith("_bypass1x1")]
    assert [layer.kernel.shape[:2] for layer in around] == [(1, 1)] * 4
    assert {layer.activation.__name__ for layer in around} == {"linear"}


def test_bypass_adds_the_modules_input() -> None:
    model = squeezenet_v1_1((32, 32, 3), 4, bypass="simple")
    names = ("fire2_concat", "fire3_concat", "fire3_bypass")
    ends = [model.get_layer(name).output for name in names]
    before, inside, after = keras.Model(model.input, ends)(np.full((1, 32, 32, 3), 0.5, np.float32))
    np.testing.assert_array_equal(after, before + inside)


def test_metaparameters_give_the_papers_widths() -> None:
    default = [Metaparameters().fire(index) for index in range(8)]
    assert [fire.squeeze for fire in default] == [16, 16, 32, 32, 48, 48, 64, 64]
    assert [fire.out for fire in default] == [128, 128, 256, 256, 384, 384, 512, 512]
    wide = Metaparameters(base_e=64, incr_e=32, freq=4, pct_3x3=0.25, squeeze_ratio=0.5)
    model = squeezenet_v1_0((64, 64, 3), 10, metaparameters=wide)
    kernels = {layer.name: tuple(layer.kernel.shape) for layer in model.layers if layer.weights}
    assert kernels["fire2_squeeze1x1"] == (1, 1, 96, 32)
    assert kernels["fire5_expand1x1"] == (1, 1, 32, 48)
    assert kernels["fire6_expand1x1"] == (1, 1, 48, 72)
    assert kernels["fire6_expand3x3"] == (3, 3, 48, 24)


def test_head_has_relu_and_softmax_as_asked() -> None:
    image = np.random.default_rng(2).random((4, 32, 32, 3), np.float32)
    keras.utils.set_random_seed(0)
    paper = squeezenet_v1_1((32, 32, 3), 7)
    np.testing.assert_allclose(np.sum(paper(image), axis=-1), 1, rtol=1e-5)
    assert paper.get_layer("conv10").activation.__name__ == "relu"
    logits = squeezenet_v1_1((32, 32, 3), 7, relu_conv10=False, include_softmax=False)(image)
    assert np.min(logits) < 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"input_shape": (6, 32, 3)},
        {"input_shape": (32, 32, 0)},
        {"classes": 0},
        {"bypass": "double"},
        {"metaparameters": Metaparameters(squeeze_ratio=0.001)},
        {"metaparameters": Metaparameters(pct_3x3=1.0)},
    ],
)
def test_impossible_networks_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ModelError) as raised:
        squeezenet_v1_0(**{"input_shape": (32, 32, 3), "classes": 2, **arguments})
    assert raised.value.hint
    assert "\n" not in str(raised.value)


def test_folded_batch_normalization_computes_the_same() -> None:
    trained, plain = (
        squeezenet(
            V1_1_SMALL,
            (32, 32, 3),
            10,
            bypass="simple",
            relu_conv10=False,
            dropout=0,
            batch_norm=normalized,
        )
        for normalized in (True, False)
    )
    rng = np.random.default_rng(5)
    for layer in trained.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, v.shape) for v in layer.get_weights()])
    fold_batch_norm(trained, plain)
    assert not any(isinstance(one, keras.layers.BatchNormalization) for one in plain.layers)
    assert plain.get_layer("conv1").output.shape[1:] == (32, 32, 32)
    images = rng.random((2, 32, 32, 3), np.float32)
    np.testing.assert_allclose(plain(images), trained(images), rtol=1e-4, atol=1e-5)


def test_the_cifar_recipe_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small steps of it on coloured squares; docs/explanation says what it reaches."""
    monkeypatch.setattr(train_cifar, "BATCH", 16)
    rng = np.random.default_rng(0)
    for part, count in (("train", 4), ("test", 1)):
        for name in range(10):
            folder = tmp_path / part / f"class{name}"
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = np.full((32, 32, 3), 25 * name, np.uint8) + rng.integers(
                    0, 20, (32, 32, 3), np.uint8
                )
                Image.fromarray(pixels).save(folder / f"{number:03}.png")
    data = train_cifar.read(tmp_path)
    assert data["train_x"].shape == (40, 32, 32, 3)
    assert sorted(set(data["test_y"].tolist())) == list(range(10))
    model = train_cifar.train(data, 1)
    assert model.output_shape == (None, 10)
    assert 0 <= train_cifar.accuracy(model, data) <= 1


def zeros(layer: keras.layers.Layer) -> float:
    return float(np.mean(layer.kernel.numpy() == 0))


def test_pruned_weights_are_zero_and_stay_so() -> None:
    keras.utils.set_random_seed(1)
    model = squeezenet(V1_1_SMALL, (32, 32, 3), 4, dropout=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    images, labels = rng.random((48, 32, 32, 3), np.float32), rng.integers(0, 4, 48)
    before = model.get_layer("fire5_expand3x3").kernel.numpy()
    model.fit(images, labels, 4, epochs=2, verbose=0, callbacks=[Pruning(0.75, steps=20)])
    first, *others = (layer for layer in model.layers if hasattr(layer, "kernel"))
    assert zeros(first) == 0
    assert [zeros(layer) for layer in others] == pytest.approx([0.75] * len(others), abs=1e-3)
    after = model.get_layer("fire5_expand3x3").kernel.numpy()
    assert np.abs(before[after == 0]).mean() < 0.7 * np.abs(before[after != 0]).mean()


@pytest.mark.parametrize(("share", "steps"), [(0.0, 10), (1.0, 10), (0.5, 0)])
def test_pruning_of_nothing_or_all_is_refused(share: float, steps: int) -> None:
    with pytest.raises(ValueError, match="cannot prune"):
        Pruning(share, steps)
