"""One real training, by a worker process: a space of one's own, from pixels to a board's bytes."""

from pathlib import Path

import numpy as np
import pytest

from edgesq.search import Asked, Row, Until, Workers, export_trial, search
from edgesq.search.folder import StudyFolder
from edgesq.search.train import _compiled, _shares

SPACE = """
import keras


def build(trial):
    width = trial.suggest_int("width", 6, 8)
    image = keras.Input((12, 12, 1))
    x = keras.layers.Conv2D(width, 3, strides=2, activation="relu")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(2, activation="softmax")(x))
"""


@pytest.mark.parametrize("steps", [1, 2, 7, 1_000])
def test_the_rate_rises_and_falls(steps: int) -> None:
    shares = _shares(steps)
    assert len(shares) == steps
    assert shares.min() >= 0
    assert shares.max() == 1
    peak = int(shares.argmax())
    assert (np.diff(shares[: peak + 1]) >= 0).all()
    assert (np.diff(shares[peak:]) <= 0).all()
    assert steps < 7 or shares[-1] == 0


@pytest.mark.slow
def test_only_a_normed_network_takes_a_high_rate() -> None:
    """Others, as spaces of one's own may be, may not stand it."""
    import keras

    def rate(*between: keras.layers.Layer) -> float:
        dense = keras.layers.Dense(2)
        return _compiled(keras, keras.Sequential([keras.Input((4,)), *between, dense]))

    assert rate(keras.layers.ReLU()) == 3e-3
    assert rate(keras.layers.BatchNormalization()) == 0.1
    inner = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
    assert rate(inner) == 0.1


@pytest.mark.slow
def test_a_study_of_stripes(tmp_path: Path) -> None:
    """Bright and dark images are told apart; the build takes what the study said."""
    random = np.random.default_rng(3)
    labels = np.arange(600) % 2
    pixels = (random.integers(0, 100, (600, 12, 12, 1)) + 150 * labels[:, None, None, None]).astype(
        np.uint8
    )
    np.savez(tmp_path / "data.npz", input=pixels, labels=labels)
    (tmp_path / "space.py").write_text(SPACE)
    out, rows = tmp_path / "study", list[Row]()
    asked = Asked(data=tmp_path / "data.npz", target="host", space=tmp_path / "space.py", epochs=8)
    document = search(out, asked, Until(1), Workers(count=1), rows.append)
    assert [row.number for row in rows] == [0]
    assert document.rows[0].outcome.state == "trained", document.rows[0].outcome.why
    assert (document.rows[0].outcome.accuracy or 0) > 0.9
    page = (out / "study.html").read_text()
    assert 'id="front"' in page
    assert "http" not in page.replace("http-equiv", "")
    assert not StudyFolder(out).images.exists()
    made = export_trial(out, 0, None, lambda _: None)
    assert made.is_as_said
    assert made.arena_bytes == made.said.arena_bytes
