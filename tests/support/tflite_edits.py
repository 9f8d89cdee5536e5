"""Change a network's .tflite in tests, and hold that it is refused with one line."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgesq.errors import ModelError
from edgesq.formats.tflite import read_graph
from support.cases import NETWORKS


def refusal(content: bytes, where: str = "my.tflite") -> str:
    with pytest.raises(ModelError) as caught:
        read_graph(content, where)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(where)
    return line


def edited(edit: Callable[[Any], None], name: str = "fire") -> bytes:
    """Return a network after `edit` of its unpacked flatbuffer."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(NETWORKS[name](), 0))
    edit(model)
    return repacked(model)


def repacked(model: Any) -> bytes:
    """Return an unpacked flatbuffer as a file."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def set_tensors(key: str, value: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            if tensor.buffer == 0:
                setattr(tensor, key, value)

    return edit


def options(**fields: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        vars(model.subgraphs[0].operators[0].builtinOptions).update(fields)

    return edit


def tensor(index: int, **fields: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        vars(model.subgraphs[0].tensors[index]).update(fields)

    return edit


def quantization(index: int, **fields: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        vars(model.subgraphs[0].tensors[index].quantization).update(fields)

    return edit


def operator(**fields: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        vars(model.subgraphs[0].operators[0]).update(fields)

    return edit


def subgraph(**fields: Any) -> Callable[[Any], None]:
    def edit(model: Any) -> None:
        vars(model.subgraphs[0]).update(fields)

    return edit


def reverse_operators(model: Any) -> None:
    model.subgraphs[0].operators.reverse()


def huge_bias(model: Any) -> None:
    bias = model.subgraphs[0].operators[0].inputs[2]
    buffer = model.buffers[model.subgraphs[0].tensors[bias].buffer]
    buffer.data = np.full(len(buffer.data) // 4, 2**31 - 1, np.int32).view(np.uint8)
