"""Read the inputs of a .tflite: images or vectors, of sizes that are known."""

from dataclasses import replace

from edgesq.formats.tflite.check import listed
from edgesq.formats.tflite.edges import Inside
from edgesq.formats.tflite.reader import Reader


def fix_batch(reader: Reader) -> None:
    """Make the batch 1 where the file leaves it open.

    Raises:
        ModelError: the batch is another one, or more than the batch is open.
    """
    for index in listed(reader.source.inputs):
        _fix(reader, index)


def _fix(reader: Reader, index: int) -> None:
    tensor, name = reader.source.tensors[index], reader.name(index)
    shape, signature = list(tensor.shape), listed(tensor.shapeSignature)
    is_open = [extent < 0 for extent in signature if len(signature) == len(shape)]
    unknown = [extent < 0 or (extent == 1 and o) for extent, o in zip(shape, is_open, strict=False)]
    if any(unknown[1:]) or any(extent < 0 for extent in shape[1:]):
        raise reader.error(
            f"the size of the input {name} is open ({signature or shape})",
            "convert the model with the input size that the board will see",
        )
    if len(shape) > 1 and shape[0] > 1:
        raise reader.error(
            f"the input {name} is {shape}, {shape[0]} at once", "convert it with batch 1"
        )
    if shape and shape[0] < 0:
        tensor.shape = [1, *shape[1:]]
    tensor.shapeSignature = None


def read_inputs(reader: Reader, inside: Inside) -> None:
    """Read the inputs; [1, H, W] is an image of one channel where nothing takes W for channels.

    That is told by what reads it: a RESHAPE, or its like, to other than [1, 1, H, W].
    """
    for source in inside.sources:
        _read(reader, inside, source)


def _read(reader: Reader, inside: Inside, source: int) -> None:
    made = reader.read(source)
    readers = [(kind, one) for kind, one in inside.operators if source in one.inputs]
    is_image = len(made.shape) == 3 and all(
        kind in ("RESHAPE", "EXPAND_DIMS")
        and tuple(reader.source.tensors[one.outputs[0]].shape[-2:]) != made.shape[1:]
        for kind, one in readers
    )
    reader.append(source, replace(made, is_plane=is_image))
