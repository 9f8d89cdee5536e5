"""Repair of an int8 model: ranges, equalization, corrections, and the search over them."""

from dataclasses import replace

import numpy as np
import pytest

from edgesq.compress.network import stored_kernels
from edgesq.errors import ImageError, ModelError
from edgesq.formats.float_weights import float_weights
from edgesq.formats.onnx import integer_onnx, run_onnx
from edgesq.formats.onnx.twin import float_twin, twin_activations
from edgesq.formats.scales import sharing_scales
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.formats.tflite.rewrite import TensorChange, rewrite
from edgesq.operators import Concatenation, MaxPool2D, Mean
from edgesq.quantize import captured_output, to_int8_tflite
from edgesq.repair.equalize import equalized
from edgesq.repair.feedback import rounded
from edgesq.repair.judge import distance, float_scores, int8_scores
from edgesq.repair.ranges import RULES, Samples, choose, observe, quantization, wider
from edgesq.repair.rounding import corrected
from edgesq.repair.search import MIN_IMAGES, ROOM, Pictures, RecipeRunner, repair, usual
from edgesq.repair.state import Quantized, check_unshared
from edgesq.repair.usual import fitted
from support.keras_networks import uneven_fire
from support.networks import Network

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(4)


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Smooth ones: what correlates is what rounding with feedback makes use of."""
    floats = np.kron(RNG.random((24, 3, 3, 3)), np.ones((1, 4, 4, 1))).astype(np.float32)
    floats = np.clip(floats + RNG.normal(0, 0.05, floats.shape), 0, 1).astype(np.float32)
    floats[0].flat[:2] = 0, 1
    return Pictures(floats, np.round(floats * 255 - 128).astype(np.int8))


@pytest.fixture(scope="module")
def model(pictures: Pictures) -> Quantized:
    with captured_output():
        made = uneven_fire()
    content = to_int8_tflite(made, (image[np.newaxis] for image in pictures.floats))
    return Quantized(content, read_graph(content), float_weights(made, content))


def twin_is_keras(model: Quantized, pictures: Pictures) -> None:
    twin = float_twin(model.graph, model.weights, [model.graph.output])
    got = np.stack([value[0].reshape(-1) for value in twin_activations(twin, pictures.floats)])
    np.testing.assert_allclose(got, np.asarray(uneven_fire()(pictures.floats)), atol=1e-5)


def test_the_float_twin_computes_what_keras_does(model: Quantized, pictures: Pictures) -> None:
    twin_is_keras(model, pictures)


def test_a_twin_rounded_everywhere_is_nearly_the_int8_model(
    model: Quantized, pictures: Pictures
) -> None:
    """It has float weights and floats' roundings, so some values are a level off."""
    wanted = [op.output for op in model.graph.ops]
    twin = float_twin(model.graph, model.weights, wanted, {model.graph.input, *wanted})
    images = pictures.int8[:4]
    int8 = ReferenceInterpreter(model.content).tensors(images, tuple(wanted))
    for number, values in enumerate(twin_activations(twin, pictures.floats[:4])):
        for index, real, levels in zip(wanted, values, int8, strict=True):
            tensor = model.graph.tensors[index]
            mine = real.reshape(-1) / tensor.scale + tensor.zero_point
            np.testing.assert_allclose(mine, np.round(mine), atol=0.01)
            assert np.abs(mine - levels[number]).max() < 6


# Ranges


def test_what_shares_a_scale_moves_together(model: Quantized) -> None:
    graph = model.graph
    sharing = sharing_scales(graph)
    by_tensor = {index: group for group in sharing for index in group}
    assert graph.input not in by_tensor
    assert graph.output not in by_tensor  # softmax's scale is TensorFlow Lite's
    for op in graph.ops:
        if isinstance(op, Concatenation | MaxPool2D):
            assert {by_tensor[index] for index in op.inputs} == {by_tensor[op.output]}
        if isinstance(op, Mean):
            assert by_tensor[op.inputs[0]] != by_tensor[op.output]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_gives_a_model_that_tflite_and_onnx_compute_alike(
    model: Quantized, pictures: Pictures, rule: str
) -> None:
    changed = model.with_ranges(choose(observe(model, pictures.floats), RULES[rule]))
    golden = ReferenceInterpreter(changed.content).observed(pictures.int8[:3])
    mine = run_onnx(integer_onnx(changed.graph), pictures.int8[:3])
    for one, other in zip(golden, mine, strict=True):
        np.testing.assert_array_equal(one, other)
    far = distance(float_scores(model, pictures.floats), int8_scores(changed.graph, pictures.int8))
    assert far.kl < 0.05


def test_min_max_is_what_the_converter_took(model: Quantized, pictures: Pictures) -> None:
    """It observes the same float model, so scales are equal but for the rounding of floats."""
    for index, chosen in choose(observe(model, pictures.floats), RULES["min-max"]).items():
        tensor = model.graph.tensors[index]
        assert chosen.scale[0] == pytest.approx(tensor.scale, rel=2e-3)
        assert abs(chosen.zero_point - tensor.zero_point) <= 1


def test_rules_on_a_distribution_that_is_known() -> None:
    """Normal values and one outlier: cutting rules leave it out, min-max does not."""
    values = np.abs(RNG.normal(size=40_000)).astype(np.float32)
    samples = Samples(0.0, 50.0, np.append(values, np.float32(50)))
    high = {name: rule(samples)[1] for name, rule in RULES.items()}
    assert high["min-max"] == 50
    assert high["min-max x 1.5"] == 75
    assert 3.3 < high["percentile 99.99"] < 6
    assert high["KL"] < 12
    step = 1 / 255
    few = Samples(0.0, 1.0, np.append(values / 8, np.float32(1)))
    wide, best = few.high * step, RULES["MSE"](few)[1] * step

    def error(step: float) -> float:
        shown = np.clip(np.round(few.values / step), 0, 255) * step
        return float(np.mean((shown - few.values) ** 2))

    assert error(best) <= error(wide)


def test_zero_is_a_level() -> None:
    for low, high in ((0.0, 3.0), (-1.0, 2.0), (-7.0, 0.0), (0.5, 2.0), (0.0, 0.0)):
        found = quantization(low, high)
        assert -128 <= found.zero_point <= 127
        reach = (127 - found.zero_point) * found.scale[0]
        assert reach >= high - found.scale[0]


# Equalization and corrections


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_equalizing_changes_nothing_of_the_float_model(
    model: Quantized, pictures: Pictures, strength: float
) -> None:
    changed = equalized(model, pictures.floats, strength)
    twin_is_keras(changed, pictures)
    op = changed.convolutions[0]
    assert not np.allclose(changed.weights[op.name].kernel, model.weights[op.name].kernel)
    if strength == 1.0:
        twin = float_twin(changed.graph, changed.weights, [op.output])
        outputs = twin_activations(twin, pictures.floats)
        peaks = np.max([value[0].max(axis=(0, 1)) for value in outputs], axis=0)
        assert peaks.max() / peaks[peaks > 0].min() < 1.01


def test_equalizing_helps_where_channels_differ(model: Quantized, pictures: Pictures) -> None:
    expected = float_scores(model, pictures.floats)
    changed = equalized(model, pictures.floats, 1.0)
    found = [
        distance(expected, int8_scores(one.graph, pictures.int8)).kl
        for one in (
            one.with_ranges(choose(observe(one, pictures.floats), RULES["min-max"]))
            for one in (model, changed)
        )
    ]
    assert found[1] < 0.75 * found[0]


def test_what_is_read_side_by_side_becomes_equally_wide(
    model: Quantized, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An activation has one scale, so the halves of a concatenation must have one width."""
    monkeypatch.setattr("edgesq.repair.equalize._MAX_FACTOR", 1e4)
    changed = equalized(model, pictures.floats, 1.0)
    ends = [op.inputs for op in model.graph.ops if isinstance(op, Concatenation)]
    assert ends
    for inputs in ends:
        twin = float_twin(changed.graph, changed.weights, inputs)
        values = list(twin_activations(twin, pictures.floats))
        peaks = [max(image[side].max() for image in values) for side in range(len(inputs))]
        assert max(peaks) < 1.01 * min(peaks)


def test_a_wrong_bias_is_corrected(model: Quantized, pictures: Pictures) -> None:
    """One bias of the int8 model is shifted by hand; the mean of its sums says by how much."""
    spoilt = dict(model.weights)
    name = model.convolutions[2].name
    shifted = spoilt[name].bias + np.float32(0.5)
    spoilt[name] = replace(spoilt[name], bias=shifted)
    bad = Quantized(model.with_weights(spoilt).content, model.graph, model.weights)
    bad = Quantized(bad.content, read_graph(bad.content), model.weights)
    good = corrected(bad, pictures.floats, pictures.reals(bad), with_weights=False)
    expected = float_scores(model, pictures.floats)
    before, after = (
        distance(expected, int8_scores(one.graph, pictures.int8)).kl for one in (bad, good)
    )
    assert after < before / 20


def test_feedback_rounds_closer_than_nearest(model: Quantized, pictures: Pictures) -> None:
    """At 8 levels per weight instead of 255 it shows."""
    coarse = dict(model.weights)
    content = model.content
    changes = {}
    for op in model.convolutions:
        tensor = model.graph.tensors[op.weights]
        assert tensor.data is not None
        scale = tuple(16 * value for value in tensor.quantization.scale)
        data = np.round(tensor.data / 16).astype(np.int8)
        changes[tensor.name] = TensorChange(data, scale)
    rough = Quantized(rewrite(content, changes), model.graph, coarse)
    rough = Quantized(rough.content, read_graph(rough.content), coarse)
    expected = float_scores(model, pictures.floats)
    reals = pictures.reals(rough)
    by_bias, by_weights = (
        distance(
            expected,
            int8_scores(
                corrected(rough, pictures.floats, reals, with_weights=weights).graph,
                pictures.int8,
            ),
        ).kl
        for weights in (False, True)
    )
    assert by_weights < by_bias / 2


# What every export does


@pytest.fixture(scope="module")
def others() -> Pictures:
    """Images that nothing is fitted to."""
    floats = np.kron(RNG.random((48, 3, 3, 3)), np.ones((1, 4, 4, 1))).astype(np.float32)
    floats = np.clip(floats + RNG.normal(0, 0.05, floats.shape), 0, 1).astype(np.float32)
    return Pictures(floats, np.round(floats * 255 - 128).astype(np.int8))


def test_an_export_is_nearer_to_float_on_images_never_seen(
    model: Quantized, pictures: Pictures, others: Pictures
) -> None:
    changed = fitted(model, pictures)
    twin_is_keras(changed, pictures)
    expected = float_scores(model, others.floats)
    before, after = (
        distance(expected, int8_scores(one.graph, others.int8)).kl for one in (model, changed)
    )
    assert after < 0.6 * before
    golden = ReferenceInterpreter(changed.content).observed(others.int8[:3])
    for one, other in zip(
        golden, run_onnx(integer_onnx(changed.graph), others.int8[:3]), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_scores_before_a_softmax_get_room(model: Quantized, pictures: Pictures) -> None:
    """On few images the largest of them was not seen."""
    changed = fitted(model, pictures).graph
    assert model.graph.logits is not None
    before, after = (one.tensors[one.scores].scale for one in (model.graph, changed))
    assert after == pytest.approx(ROOM * before, rel=0.01)


def test_feedback_at_the_same_scales_halves_what_rounding_weights_loses(
    model: Quantized, pictures: Pictures, others: Pictures
) -> None:
    def error(one: Quantized) -> float:
        kernels = stored_kernels(one.graph)
        as_rounded = {
            op.name: replace(
                model.weights[op.name],
                kernel=kernels[op.weights].weights,
                bias=kernels[op.weights].bias,
            )
            for op in one.convolutions
        }
        whole = float_scores(replace(one, weights=as_rounded), others.floats)
        return float(np.mean((whole - float_scores(model, others.floats)) ** 2))

    assert error(rounded(model, pictures.floats)) < 0.5 * error(model)


def test_what_would_be_further_from_float_is_not_taken(
    model: Quantized, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = model.with_ranges(choose(observe(model, pictures.floats), wider(8)))
    monkeypatch.setattr(RecipeRunner, "make", lambda *_: worse)
    assert fitted(model, pictures) is model


# The search


def test_the_search_keeps_what_is_better_and_says_what_it_tried(
    model: Quantized, pictures: Pictures
) -> None:
    said: list[str] = []
    found = repair(model.content, model.weights, pictures, 600, said.append)
    kept = [trial for trial in found.trials if trial.is_kept]
    assert len(kept) == 1
    assert kept[0].recipe == str(found.recipe)
    images = [trial.images for trial in found.trials]
    assert images == [24] * 12 + [6] * (len(images) - 12)
    corrections = found.trials[13:]  # the best so far comes first
    assert str(usual(model.graph)) == corrections[0].recipe
    assert {trial.recipe.split(", ")[-1] for trial in corrections} == {
        f"{what} corrected" for what in ("biases", "weights", "feedback")
    }
    assert min(trial.kl for trial in found.trials[:12]) < found.trials[0].kl
    assert found.trials[0].recipe == "as converted"
    assert len(said) == len(found.trials) + 1
    expected = float_scores(model, pictures.floats)
    before, after = (
        distance(expected, int8_scores(read_graph(content), pictures.int8)).kl
        for content in (model.content, found.content)
    )
    assert after < before
    again = repair(model.content, model.weights, pictures, 600)
    assert again.content == found.content


def test_without_time_it_does_what_export_does(model: Quantized, pictures: Pictures) -> None:
    found = repair(model.content, model.weights, pictures, 0)
    assert [trial.recipe for trial in found.trials] == [
        "as converted",
        "as converted",
        str(usual(model.graph)),
    ]
    assert found.recipe == usual(model.graph)
    assert found.content == RecipeRunner(model, pictures).make(found.recipe).content


def test_too_few_images_are_refused(model: Quantized, pictures: Pictures) -> None:
    few = Pictures(pictures.floats[: MIN_IMAGES - 1], pictures.int8[: MIN_IMAGES - 1])
    with pytest.raises(ImageError, match="too few"):
        repair(model.content, model.weights, few, 1)


def test_shared_constants_are_refused() -> None:
    net = Network((6, 6, 3))
    content = net.build(net.conv(net.conv(0, 3, (1, 1)), 3, (1, 1)))
    graph = read_graph(content)
    check_unshared(graph)
    first, second = graph.ops
    shared = replace(graph, ops=(first, replace(second, weights=first.weights)))  # type: ignore[call-arg, attr-defined]
    with pytest.raises(ModelError, match="shares"):
        check_unshared(shared)
