"""The loss of points that compression is given: expected and counted."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesq.compress.loss import measure_loss


def noisy_scores(count: int, noise: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores of ten classes, and the same with errors."""
    rng = np.random.default_rng(7)
    scores = rng.normal(0, 2, (count, 10))
    return scores, scores + rng.normal(0, noise, scores.shape)


def counted_drop(expected: NDArray[np.float64], got: NDArray[np.float64]) -> float:
    """Return points of top-1 lost if labels are drawn by the float model."""
    likely = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
    rows = np.arange(len(likely))
    return 100 * float(np.mean(likely.max(axis=1) - likely[rows, got.argmax(axis=1)]))


def test_equal_scores_lose_nothing() -> None:
    expected, _ = noisy_scores(20, 0)
    loss = measure_loss(expected, expected)
    assert (loss.kl, loss.agreement, loss.drop) == (0, 1, 0)
    assert (loss.drop_low, loss.drop_high) == (0, 0)
    sure = np.log(np.eye(3) + 1e-300)
    assert measure_loss(sure, sure).drop == 0


@pytest.mark.parametrize("noise", [0.2, 0.5, 1.0])
def test_the_expected_drop_is_what_counting_gives_on_many_images(noise: float) -> None:
    expected, got = noisy_scores(20_000, noise)
    assert measure_loss(expected, got).drop == pytest.approx(counted_drop(expected, got), rel=0.06)


def test_on_few_images_the_expected_drop_varies_less_than_counting() -> None:
    expected, got = noisy_scores(2_000, 0.5)
    parts = list(zip(np.split(expected, 50), np.split(got, 50), strict=True))
    predicted = np.std([measure_loss(one, other).drop for one, other in parts])
    assert predicted < 0.6 * np.std([counted_drop(one, other) for one, other in parts])


def test_about_nine_ranges_in_ten_hold_what_counting_gives_on_many_images() -> None:
    expected, got = noisy_scores(8_000, 0.5)
    true = counted_drop(expected, got)
    parts = zip(np.split(expected, 80), np.split(got, 80), strict=True)
    losses = [measure_loss(one, other) for one, other in parts]
    held = [each.drop_low <= true <= each.drop_high for each in losses]
    assert all(each.drop_low <= each.drop <= each.drop_high for each in losses)
    assert 0.8 <= np.mean(held) < 1
