"""Plans and generated data of the ladder's models are what they were; see `support.golden`."""

import pytest

from support import golden
from support.ladder import LadderModels


@pytest.mark.parametrize("name", golden.NAMES)
def test_plans_and_data_are_as_before(name: str, ladder_models: LadderModels) -> None:
    content = ladder_models["demo" if name == golden.COARSE else name].tflite
    kept = golden.read()[name]
    found = golden.identity(content)
    if found != kept["sha256"]:
        pytest.skip(f"other bytes of {name} than those kept, by another TensorFlow: {found}")
    different = golden.differences(name, kept["plans"], golden.figures_of(name, content))
    assert not different, "\n".join([*different, "if that is meant: make golden"])
