"""Unpacking by the package tflite gives what LiteRT's classes give."""

from typing import Any

import numpy as np
import pytest

from edgesq.errors import ModelError
from edgesq.formats.tflite import read_graph, unpack
from edgesq.graph import Graph
from support.cases import NETWORKS
from support.ladder import SHARED_NAMES, shared_model
from support.mutants import tflite as mutants
from support.tflite_edits import edited

NEWER = {"externalBufferGroups", "externalBuffers", "quantSpec"}
"""Fields that the package does not know, and nothing of edgesq reads."""

MUTANTS = 150


def by_package(content: bytes, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(unpack, "is_installed", lambda _: False)
        return unpack.unpacked(content, lambda _: False)


def hold_equal(mine: Any, theirs: Any, where: str) -> None:
    if isinstance(theirs, np.ndarray):
        assert np.array_equal(mine, theirs), where
    elif isinstance(theirs, list):
        assert len(mine) == len(theirs), where
        for number, pair in enumerate(zip(mine, theirs, strict=True)):
            hold_equal(*pair, f"{where}[{number}]")
    elif hasattr(theirs, "__dict__"):
        assert type(mine).__name__ == type(theirs).__name__, where
        for name in vars(theirs).keys() - NEWER:
            hold_equal(getattr(mine, name), getattr(theirs, name), f"{where}.{name}")
    else:
        assert mine == theirs, where


@pytest.mark.parametrize("name", [*NETWORKS, *SHARED_NAMES])
def test_both_give_the_same_parts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = NETWORKS[name]() if name in NETWORKS else shared_model(name)
    litert = unpack.unpacked(content, lambda _: False)
    hold_equal(by_package(content, monkeypatch), litert, "model")


def test_both_codes_of_an_operator_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The older and the newer field of damaged, and of old files."""

    def edit(model: Any) -> None:
        code = model.operatorCodes[0]
        code.builtinCode, code.deprecatedBuiltinCode = newer, older

    for newer, older in ((18, 17), (17, 18), (0, 3), (3, 0), (200, 127)):
        content = edited(edit)
        code = by_package(content, monkeypatch).operatorCodes[0]
        assert (code.builtinCode, code.deprecatedBuiltinCode) == (newer, older)
        hold_equal(code, unpack.unpacked(content, lambda _: False).operatorCodes[0], "code")


def graph_of(content: bytes) -> Graph | None:
    try:
        return read_graph(content)
    except ModelError:
        return None


def test_damaged_files_are_read_or_refused_alike(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = 0
    for number in range(MUTANTS):
        content = mutants.write(number, tmp_path).read_bytes()
        litert = graph_of(content)
        with monkeypatch.context() as patch:
            patch.setattr(unpack, "is_installed", lambda _: False)
            package = graph_of(content)
        assert repr(package) == repr(litert), number
        taken += litert is not None
    assert 10 < taken < MUTANTS - 10


def test_a_constant_in_another_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = NETWORKS["fire"]()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    model.subgraphs[0].tensors[1].externalBuffer = 1
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    monkeypatch.setattr(unpack, "is_installed", lambda _: False)
    with pytest.raises(ModelError, match="lies outside the model"):
        read_graph(bytes(builder.Output()))
