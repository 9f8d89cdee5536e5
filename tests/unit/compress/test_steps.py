"""Steps of weights: powers that hold every weight."""

import numpy as np

from edgesq.compress.steps import Sensitivity, lambda_range, steps_for


def test_steps_are_powers_and_hold_every_weight() -> None:
    largest = np.array([1.0, 0.01, 0.0, 3.0])
    layer = Sensitivity(np.array([1.0, 4.0, 0.0, 1e-9]), 2.0, largest, False, False, False)
    low, high = lambda_range(layer)
    for log2_lambda in np.linspace(low, high, 9):
        steps = steps_for(layer, float(log2_lambda))
        powers = 4 * np.log2(steps)
        np.testing.assert_allclose(powers, np.round(powers), atol=1e-9)
        assert (largest / steps <= 127).all()
    assert (steps_for(layer, low - 9) == steps_for(layer, low)).all()
    assert (steps_for(layer, high + 9) == steps_for(layer, high)).all()
