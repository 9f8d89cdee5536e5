"""What `import edgesq` offers, and what it costs."""

import ast
import sys
from pathlib import Path

import pytest

import edgesq
from edgesq import errors
from support.crun import run_command

MAX_IMPORT_S = 0.1
HEAVY = ("numpy", "PIL", "tensorflow", "keras", "onnx", "onnxruntime", "ai_edge_litert", "msgspec")
LIGHT = ("edgesq", "edgesq.version")


def child(script: str) -> str:
    return run_command(sys.executable, "-c", script).decode().strip()


def test_importing_is_quick() -> None:
    """In processor time, the best of several: other processes are no fault of ours."""
    script = "import time; t = time.process_time(); import edgesq; print(time.process_time() - t)"
    assert min(float(child(script)) for _ in range(5)) < MAX_IMPORT_S


def test_importing_loads_nothing_heavy() -> None:
    loaded = child("import edgesq, sys; print(*sys.modules)").split()
    assert set(loaded).isdisjoint(HEAVY)
    assert {name for name in loaded if name.partition(".")[0] == "edgesq"} == set(LIGHT)


def test_an_error_is_caught_without_anything_heavy() -> None:
    script = "import edgesq, sys; edgesq.BoardError; print(*sys.modules)"
    assert set(child(script).split()).isdisjoint(HEAVY)


def test_every_public_name_is_there() -> None:
    for name in edgesq.__all__:
        assert getattr(edgesq, name) is not None
    assert set(dir(edgesq)) == set(edgesq.__all__)
    with pytest.raises(AttributeError, match="module 'edgesq' has no attribute 'exprot'"):
        _ = edgesq.exprot


def test_every_error_is_public() -> None:
    found = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.EdgesqError)
    }
    assert found <= set(edgesq.__all__)


def test_type_checkers_know_the_same_names() -> None:
    """What is imported for types is what is loaded at run time, from the same modules."""
    tree = ast.parse(Path(edgesq.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    told = {
        f"{node.module}.{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    loaded = {f"edgesq.{home}.{name}" for home, names in edgesq._HOMES.items() for name in names}
    assert told == loaded
    assert {name.rpartition(".")[2] for name in loaded} == set(edgesq.__all__) - {"__version__"}
