"""Dilated and transposed convolutions that kernel families run as plain ones."""

from edgesq.formats.tflite import read_graph
from support.emulated_cases import Case
from support.kernel_cases import images
from support.networks import RECTIFIED, USUAL, Network
from support.tflite_builder import RELU, RELU6, SAME, VALID

_DILATIONS = ((2, 2), (4, 3), (1, 2), (3, 1))
_TRANSPOSED = (((2, 2), (2, 2)), ((3, 3), (2, 2)), ((4, 4), (2, 2)), ((3, 3), (1, 1)))
_STRETCHED = (((5, 4), (3, 2)), ((1, 1), (2, 3)))


def phased_cases() -> list[Case]:
    """Whole blocks of channels and odd ones, with every way that columns are apart."""
    cases: list[Case] = []

    def add(name: str, net: Network, output: int) -> None:
        graph, seed = read_graph(net.build(output)), len(cases)
        cases.append(Case(name, graph, images(seed, graph), band_rows=1 + seed % 3))

    for seed, dilation in enumerate(_DILATIONS):
        for channels, source in ((16, RECTIFIED), (4, USUAL), (5, RECTIFIED)):
            shape = (10, 11, channels)
            net = Network(shape, source, seed)
            wide = net.conv(net.input, channels, (3, 3), activation=RELU, dilation=dilation)
            add(f"conv {channels} {dilation}", net, wide)
            net = Network(shape, source, seed)
            deep = net.depthwise(
                net.input, (3, 3), (1, 1), SAME, RELU, RECTIFIED, dilation=dilation
            )
            add(f"depthwise {channels} {dilation}", net, deep)
            net = Network(shape, source, seed)
            apart = net.depthwise(net.input, (2, 3), (2, 2), VALID, RELU6, dilation=dilation)
            add(f"depthwise apart {channels} {dilation}", net, apart)
    for seed, (kernel, stride) in enumerate((*_TRANSPOSED, *_STRETCHED)):
        for channels in (16, 3):
            net = Network((5, 6, channels), RECTIFIED, seed)
            made = net.transpose_conv(net.input, 12, kernel, stride, SAME, RELU, RECTIFIED)
            add(f"transposed {channels} {kernel} {stride}", net, made)
    return cases
