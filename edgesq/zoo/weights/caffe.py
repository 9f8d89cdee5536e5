"""Weights in a .caffemodel, a NetParameter in protocol buffers.

Only the fields that carry weights are declared; a reader of protocol buffers skips all others.
Source: field numbers of caffe.proto (NetParameter, LayerParameter, V1LayerParameter, BlobProto).
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from edgesq.zoo.weights.arrays import Arrays, Shapes, damaged, from_oihw, read_file

_Field = descriptor_pb2.FieldDescriptorProto
_MESSAGES = {
    "BlobShape": {"dim": (1, _Field.TYPE_INT64)},
    "BlobProto": {
        "num": (1, _Field.TYPE_INT32),
        "channels": (2, _Field.TYPE_INT32),
        "height": (3, _Field.TYPE_INT32),
        "width": (4, _Field.TYPE_INT32),
        "data": (5, _Field.TYPE_FLOAT),
        "shape": (7, "BlobShape"),
    },
    "LayerParameter": {"name": (1, _Field.TYPE_STRING), "blobs": (7, "BlobProto")},
    "V1LayerParameter": {"name": (4, _Field.TYPE_STRING), "blobs": (6, "BlobProto")},
    "NetParameter": {"layers": (2, "V1LayerParameter"), "layer": (100, "LayerParameter")},
}
_REPEATED = ("dim", "data", "blobs", "layers", "layer")
_PACKED = ("dim", "data")


def read_caffemodel(path: Path, _: Shapes) -> Arrays:
    """Read every layer that has a kernel [O, I, H, W], with its bias.

    Args:
        path: the file.
        _: the file itself has names and shapes.

    Raises:
        ModelError: missing or damaged.
    """
    net = net_parameter()()
    try:
        net.ParseFromString(read_file(path))
        arrays = {}
        for layer in (*net.layers, *net.layer):
            for kind, blob in zip(("kernel", "bias"), layer.blobs, strict=False):
                values = _values(blob)
                name = f"{layer.name}/{kind}"
                arrays[name] = from_oihw(values) if kind == "kernel" else values.reshape(-1)
    except (DecodeError, ValueError) as error:
        raise damaged(path, "Caffe") from error
    return arrays


@cache
def net_parameter() -> Any:
    """Return the message class of a whole network."""
    file = descriptor_pb2.FileDescriptorProto(name="edgesq_caffe.proto", package="caffe")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            added = message.field.add(name=field, number=number)
            added.label = _Field.LABEL_REPEATED if field in _REPEATED else _Field.LABEL_OPTIONAL
            added.options.packed = field in _PACKED
            if isinstance(kind, str):
                added.type, added.type_name = _Field.TYPE_MESSAGE, f".caffe.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))


def _values(blob: Any) -> NDArray[np.float32]:
    values = np.asarray(blob.data, np.float32)
    legacy = (blob.num, blob.channels, blob.height, blob.width)
    shape = tuple(blob.shape.dim) if blob.HasField("shape") else legacy
    return values.reshape(shape)
