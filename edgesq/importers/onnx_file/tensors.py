"""Load an .onnx file, and compare the size of every tensor with what the file says of it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError, Message
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from edgesq.errors import ModelError
from edgesq.importers.quants import Array
from edgesq.limits import MAX_DIMENSIONS, MAX_EXTENT, MAX_FILE_BYTES, MAX_VALUES

_FIELDS: dict[int, str] = {
    TensorProto.BFLOAT16: "int32_data",
    TensorProto.BOOL: "int32_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.FLOAT: "float_data",
    TensorProto.FLOAT16: "int32_data",
    TensorProto.INT16: "int32_data",
    TensorProto.INT32: "int32_data",
    TensorProto.INT64: "int64_data",
    TensorProto.INT8: "int32_data",
    TensorProto.UINT16: "int32_data",
    TensorProto.UINT32: "uint64_data",
    TensorProto.UINT64: "uint64_data",
    TensorProto.UINT8: "int32_data",
}
"""Types of numbers that are read, and where a tensor holds them if not as raw bytes."""

_AGAIN = "the file is damaged; export it again"


def load(path: Path, *, external: bool) -> onnx.ModelProto:
    """Return a file's model, all of whose tensors are as large as they say and inside of it.

    Args:
        path: the file.
        external: whether weights that lie in files beside it are read too.

    Raises:
        ModelError: it is missing, no ONNX, too large, or damaged.
    """
    where = str(path)
    model = _parsed(path)
    problem = _unreadable(model)
    if problem:
        raise ModelError(f"cannot be read as ONNX: {problem}", where=where, hint=_AGAIN)
    if not model.graph.node or not model.graph.output:
        raise ModelError("this is not an ONNX model", where=where, hint="export it again")
    if _sparse(model):
        raise ModelError("holds sparse weights", where=where, hint="export them as dense tensors")
    beside = _Beside(path.parent)
    for tensor in tensors(model):
        problem = _wrong(tensor) or (beside.read(tensor) if external else None)
        if problem:
            raise ModelError(f"tensor {tensor.name!r}: {problem}", where=where, hint=_AGAIN)
    return model


def tensors(model: onnx.ModelProto) -> Iterator[TensorProto]:
    """Yield weights and constants, those in functions and branches too."""
    yield from model.graph.initializer
    pending = [*model.graph.node, *(node for each in model.functions for node in each.node)]
    while pending:
        for attribute in pending.pop().attribute:
            yield from (attribute.t,) if attribute.type == AttributeProto.TENSOR else ()
            yield from attribute.tensors
            for graph in (attribute.g, *attribute.graphs):
                yield from graph.initializer
                pending.extend(graph.node)


def numbers(tensor: TensorProto) -> Array:
    """Return what a tensor of `load` holds, in its own type.

    Raises:
        ModelError: numbers that its type cannot hold.
    """
    try:
        return numpy_helper.to_array(tensor)
    except (OverflowError, TypeError, ValueError) as error:
        raise ModelError(f"tensor {tensor.name!r}: {error}", hint=_AGAIN) from error


def _parsed(path: Path) -> onnx.ModelProto:
    where = str(path)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise ModelError("is not a file", where=where, hint="give an .onnx file")
        if about.st_size > MAX_FILE_BYTES:
            raise ModelError(
                f"is {about.st_size:,} bytes large, {MAX_FILE_BYTES:,} is the most", where=where
            )
        model = onnx.ModelProto()
        model.ParseFromString(path.read_bytes())
        return model
    except (DecodeError, OSError) as error:
        raise ModelError(
            f"cannot be read as ONNX: {' '.join(str(error).split())[:160]}",
            where=where,
            hint=_AGAIN,
        ) from error


def _unreadable(message: Any) -> str | None:
    """Return what is wrong with the texts in a message: protobuf hands others out as bytes."""
    for field, value in message.ListFields():
        if field.type not in (field.TYPE_STRING, field.TYPE_MESSAGE):
            continue
        many = (value,) if isinstance(value, (str, bytes, Message)) else value
        if field.type == field.TYPE_STRING and not all(isinstance(one, str) for one in many):
            return f"{field.full_name} is no text"
        if field.type == field.TYPE_MESSAGE:
            found = next((problem for one in many if (problem := _unreadable(one))), None)
            if found:
                return found
    return None


def _sparse(model: onnx.ModelProto) -> bool:
    nodes = (*model.graph.node, *(node for each in model.functions for node in each.node))
    kinds = (AttributeProto.SPARSE_TENSOR, AttributeProto.SPARSE_TENSORS)
    return bool(model.graph.sparse_initializer) or any(
        attribute.type in kinds for node in nodes for attribute in node.attribute
    )


def _wrong(tensor: TensorProto) -> str | None:
    """Return what is wrong about a tensor's own description."""
    field = _FIELDS.get(tensor.data_type)
    if field is None:
        return f"holds {_type_name(tensor.data_type)}, which is no type of numbers that is read"
    shape = list(tensor.dims)
    count = _count(shape)
    if count is None:
        return f"the shape {shape[:MAX_DIMENSIONS]} is beyond {MAX_VALUES:,} values, the most"
    if tensor.HasField("segment"):
        return "is stored in segments"
    if tensor.data_location == TensorProto.EXTERNAL:
        return None
    size = _item_bytes(tensor)
    held = len(getattr(tensor, field))
    if tensor.HasField("raw_data"):
        bytes_held = len(tensor.raw_data)
        return None if bytes_held == count * size else f"holds {bytes_held} bytes for {shape}"
    return None if held == count else f"holds {held} numbers for the shape {shape}"


def _count(shape: list[int]) -> int | None:
    """Return how many values a shape has; None beyond the limits."""
    if len(shape) > MAX_DIMENSIONS or any(not 0 <= extent <= MAX_EXTENT for extent in shape):
        return None
    count = 1
    for extent in shape:
        count *= extent
        if count > MAX_VALUES:
            return None
    return count


def _type_name(number: int) -> str:
    known = TensorProto.DataType.values()
    return TensorProto.DataType.Name(number).lower() if number in known else f"type {number}"


def _item_bytes(tensor: TensorProto) -> int:
    return int(np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize)


class _Beside:
    """Weights in files in the model's folder.

    Attributes:
        n_bytes: read so far.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.n_bytes = 0

    def read(self, tensor: TensorProto) -> str | None:
        """Put what a file holds into the tensor, or return why not."""
        if tensor.data_location != TensorProto.EXTERNAL:
            return None
        said = {entry.key: entry.value for entry in tensor.external_data}
        path, problem = self._file(said.get("location", ""))
        if path is None:
            return problem
        shape = list(tensor.dims)
        wanted = (_count(shape) or 0) * _item_bytes(tensor)
        offset = _number(said.get("offset", "0"))
        length = _number(said.get("length", str(wanted)))
        size = path.stat().st_size
        if offset is None or length is None or offset + length > size:
            return f"is not inside its external data {path.name!r} of {size:,} bytes"
        if length != wanted:
            return f"has {length} bytes of external data for the shape {shape}"
        self.n_bytes += length
        if self.n_bytes > MAX_FILE_BYTES:
            return f"more than {MAX_FILE_BYTES:,} bytes of external data"
        with path.open("rb") as file:
            file.seek(offset)
            tensor.raw_data = file.read(length)
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]
        return None

    def _file(self, location: str) -> tuple[Path | None, str]:
        """Return a file of the model's folder, or None and why not."""
        try:
            inner = Path(location)
            path = self.folder / inner
            if not location or inner.is_absolute() or ".." in inner.parts:
                return None, f"its external data {location!r} is not in the model's folder"
            steps = [self.folder / Path(*inner.parts[:end]) for end in range(1, len(inner.parts))]
            if any(step.is_symlink() for step in (*steps, path)):
                return None, f"its external data {location!r} is a link"
            if not path.is_file():
                return None, f"its external data {location!r} is not beside the model"
        except (OSError, ValueError) as error:
            return None, f"its external data {location!r}: {error}"
        return path, ""


def _number(text: str) -> int | None:
    """Return a count that the file holds as text."""
    is_count = text.isascii() and text.isdigit() and len(text) < len(str(1 << 63))
    return int(text) if is_count else None
