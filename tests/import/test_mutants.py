"""A slice of what `make soak` tries: damaged models and folders are refused by a line, or right."""

import importlib
import shutil
from pathlib import Path

import pytest

from edgesq.formats.tflite import read_graph
from support.cases import NETWORKS
from support.crun import Runtime
from support.mutants import known, ladder, supervise
from support.mutants.work import FAULTS, KEPT, Outcome, Verdict

SLICES = {"tflite": 200, "onnx": 100, "keras": 30, "folders": 24}


def tried(kind: str, count: int, folder: Path) -> list[Verdict]:
    return list(supervise.supervise(kind, range(count), 1, 500, folder))


@pytest.mark.parametrize("kind", SLICES)
def test_a_slice(kind: str, tmp_path: Path, runtime: Runtime) -> None:
    verdicts = tried(kind, SLICES[kind], tmp_path)
    assert [f"{one.number}: {one.said}" for one in verdicts if one.is_fault] == []
    assert sorted(one.number for one in verdicts) == list(range(SLICES[kind]))
    for good in (Outcome.REFUSED, Outcome.ACCEPTED):
        assert sum(one.outcome is good for one in verdicts) > len(verdicts) // 20, good
    for batch in ladder.batches(tmp_path / KEPT):
        assert ladder.differing(batch, runtime, tmp_path / "c") == {}


def test_every_end_is_told_from_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy machine takes a second of the processor to hand out the memory: a hang takes longer.
    monkeypatch.setattr(supervise, "HANG_S", 5.0)
    monkeypatch.setattr(supervise, "MAX_BYTES", 300 << 20)
    verdicts = tried("known", len(known.OUTCOMES), tmp_path)
    found = {one.number: one.outcome for one in verdicts}
    assert found == dict(enumerate(known.OUTCOMES))
    kept = {path.name: (path / "mutant").read_text() for path in (tmp_path / FAULTS).iterdir()}
    faults = {str(one.number) for one in verdicts if one.is_fault}
    assert kept == {number: number for number in faults}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Three models that are held, two of them alike."""
    folder = tmp_path / "kept"
    for name, network in (("0", "fire"), ("1", "lenet"), ("2", "fire")):
        content = NETWORKS[network]()
        ladder.hold(content, read_graph(content), folder / name)
    return folder


def test_models_alike_are_compiled_once(kept: Path, runtime: Runtime, tmp_path: Path) -> None:
    batches = ladder.batches(kept)
    assert batches == [[kept / "0", kept / "1"]]
    assert ladder.differing(batches[0], runtime, tmp_path / "c") == {}


def test_the_model_that_differs_in_c_is_named(kept: Path, runtime: Runtime, tmp_path: Path) -> None:
    values = bytearray((kept / "1" / "golden").read_bytes())
    values[3] ^= 1
    (kept / "1" / "golden").write_bytes(values)
    (batch,) = ladder.batches(kept)
    wrong = ladder.differing(batch, runtime, tmp_path / "c")
    assert wrong == {kept / "1": f"C: 1 of {len(values)} values differ"}


def test_the_model_that_does_not_compile_is_named(
    kept: Path, runtime: Runtime, tmp_path: Path
) -> None:
    shutil.copy(kept / "1" / "mutant_model.h", kept / "1" / "mutant_model.c")
    (batch,) = ladder.batches(kept)
    assert list(ladder.differing(batch, runtime, tmp_path / "c")) == [kept / "1"]


@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_a_number_always_makes_the_same_mutant(kind: str, tmp_path: Path) -> None:
    module = importlib.import_module(f"support.mutants.{kind}")
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    one, two = (
        [module.write(number, folder).read_bytes() for number in range(40)] for folder in folders
    )
    assert one == two
    assert len(set(one)) == 40
