"""Read pretrained SqueezeNet weights from the files people have.

Every reader returns float32 arrays by one set of names, the ones of the paper's own files:
`conv1`, `fire2/squeeze1x1`, `fire2/expand1x1`, `fire2/expand3x3`, ... `conv10`, each with `/kernel`
[H, W, I, O] and `/bias` [O].
"""

from edgesq.zoo.weights.arrays import Arrays, Shapes
from edgesq.zoo.weights.caffe import read_caffemodel
from edgesq.zoo.weights.deep_compression import read_net
from edgesq.zoo.weights.h5 import read_h5
from edgesq.zoo.weights.ncnn import read_ncnn
from edgesq.zoo.weights.npz import read_npz

READERS = {
    ".npz": read_npz,
    ".h5": read_h5,
    ".caffemodel": read_caffemodel,
    ".param": read_ncnn,
    ".bin": read_ncnn,
    ".net": read_net,
}
"""Readers by file suffix: (path, shapes that the model needs) -> arrays."""

__all__ = ["READERS", "Arrays", "Shapes"]
