"""Runs that end early, and how they go on."""

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgesq.errors import BoardError, EdgesqError
from edgesq.verify import read_json
from edgesq.verify import resume as resume_module
from edgesq.verify.oracle import Peer
from edgesq.verify.summary import Facts
from support.verify_runs import PretendedClient, facts, make_images, run

COUNT = 60
FEW_STEPS = [{"outputs": [{"steps": [1]}]}]


@pytest.fixture
def noise(tmp_path: Path) -> Facts:
    return facts(tmp_path, make_images(tmp_path / "noise.npz", COUNT))


def stopping(at: int, error: BaseException) -> Callable[[int, int], None]:
    def on_progress(done: int, _: int) -> None:
        if done == at:
            raise error

    return on_progress


def wrong() -> PretendedClient:
    return PretendedClient(lambda mark: mark % 5 == 0)


@pytest.mark.parametrize("stops", [(5,), (COUNT,), (7, 12, 31, 59)], ids=str)
def test_a_resumed_run_equals_an_uninterrupted_one(
    noise: Facts, tmp_path: Path, stops: tuple[int, ...]
) -> None:
    whole = run(noise, client=wrong())
    assert whole.run.complete
    assert not whole.is_exact
    assert whole.examples.misclassified
    path = tmp_path / "verify.json"
    before = 0
    for stop in stops:
        with pytest.raises(KeyboardInterrupt):
            run(noise, path, stopping(stop, KeyboardInterrupt()), wrong())
        partial = read_json(path)
        assert max(before, stop - 5) < partial.run.images <= stop
        assert partial.run.complete == (partial.resume is None) == (partial.run.images == COUNT)
        before = partial.run.images
    seen: list[int] = []
    assert run(noise, path, lambda done, _: seen.append(done), wrong()) == whole
    assert read_json(path) == whole
    assert seen == ([] if before == COUNT else list(range(before, COUNT + 1)))


def test_a_board_that_goes_away_leaves_a_report(noise: Facts, tmp_path: Path) -> None:
    path = tmp_path / "verify.json"
    with pytest.raises(BoardError):
        run(noise, path, stopping(20, BoardError("gone")))
    partial = read_json(path)
    assert 0 < partial.run.images <= 20
    assert partial.result.exact_images == partial.run.images
    assert run(noise, path) == run(noise)


def test_a_run_that_ends_at_once_leaves_the_report_as_it_was(noise: Facts, tmp_path: Path) -> None:
    path = tmp_path / "verify.json"
    path.write_text("as it was")
    with pytest.raises(EdgesqError):
        run(noise, path)
    assert path.read_text() == "as it was"


def test_the_report_is_kept_now_and_then(
    noise: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume_module, "_EVERY_S", 0.0)
    monkeypatch.setattr(resume_module, "_COST", 0)
    path = tmp_path / "verify.json"
    seen = []

    def on_progress(*_: int) -> None:
        if path.exists():
            seen.append(read_json(path).run.images)

    run(noise, path, on_progress)
    assert len(set(seen)) > 10
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"board": "other"}, "another board: bench7, now other"),
        ({"kernels": "dsp"}, "another kernels: portable, now dsp"),
        ({"build": "gcc 3"}, "another compiler or its flags"),
        ({"model_sha256": "ab" * 32}, "another model: "),
    ],
)
def test_another_board_is_refused(
    noise: Facts, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    path = tmp_path / "verify.json"
    with pytest.raises(KeyboardInterrupt):
        run(noise, path, stopping(9, KeyboardInterrupt()))
    before = path.read_bytes()
    other = replace(noise, info=replace(noise.info, **change))
    with pytest.raises(EdgesqError, match=f"was made with {says}.*begin anew"):
        run(other, path)
    assert path.read_bytes() == before


def test_other_images_are_refused(noise: Facts, tmp_path: Path) -> None:
    path = tmp_path / "verify.json"
    with pytest.raises(KeyboardInterrupt):
        run(noise, path, stopping(9, KeyboardInterrupt()))
    others = make_images(tmp_path / "others.npz", COUNT, seed=1)
    with pytest.raises(EdgesqError, match="was made with another images: "):
        run(facts(tmp_path, others), path)
    fewer = replace(noise, images=replace(noise.images, count=COUNT - 1))
    with pytest.raises(EdgesqError, match=r"another number of images: 60, now 59"):
        run(fewer, path)
    with pytest.raises(EdgesqError, match="was compared with other forms"):
        run(replace(noise, peers=(Peer("another", None, "absent"),)), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "{",
        lambda _: "[]",
        lambda fields: {**fields, "schema": 0},
        lambda fields: {key: value for key, value in fields.items() if key != "resume"},
        lambda fields: {**fields, "resume": {**fields["resume"], "ticks": [1]}},
        lambda fields: {**fields, "resume": {**fields["resume"], "ticks": [-1] * 9}},
        lambda fields: {**fields, "resume": {**fields["resume"], "exact": None}},
        lambda fields: {
            **fields,
            "resume": {**fields["resume"], "against": [{"outputs": [{"steps": [1]}]}]},
        },
        lambda fields: {**fields, "comparisons": None},
    ],
    ids=range(9),
)
def test_a_damaged_report_is_refused(
    noise: Facts, tmp_path: Path, change: Callable[[Any], Any]
) -> None:
    path = tmp_path / "verify.json"
    with pytest.raises(KeyboardInterrupt):
        run(noise, path, stopping(9, KeyboardInterrupt()))
    changed = change(json.loads(path.read_text()))
    path.write_text(changed if isinstance(changed, str) else json.dumps(changed))
    with pytest.raises(EdgesqError, match=r"verify.json: .*\(leave --resume out"):
        run(noise, path)


@pytest.mark.slow
def test_memory_does_not_grow_with_images(tmp_path: Path) -> None:
    """`make soak` measures the whole process; here every allocation of 1,000 more counts."""
    peaks: list[int] = []
    # The first warms caches; the last is run twice: a busy computer once took 33 KB more.
    for count in (100, 1_000, 2_000, 2_000):
        path = make_images(tmp_path / f"{len(peaks)}.npz", count, distinct=16)
        many = facts(tmp_path, path)
        tracemalloc.start()
        assert run(many).run.images == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Labels and ticks are 8 each, the array grows by leaps.
    assert min(peaks[2:]) - peaks[1] < 1_000 * 40
