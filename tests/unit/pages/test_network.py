"""The picture of a network: a node for each operator, an edge for each map that is read."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.pages import network
from edgesq.pages.network import MAX_ROWS
from support.cases import NETWORKS

NAMES = sorted(NETWORKS)


def graph_of(name: str) -> Graph:
    return read_graph(NETWORKS[name]())


@pytest.mark.parametrize("name", NAMES)
def test_nodes_and_edges(name: str) -> None:
    graph = graph_of(name)
    root = ElementTree.fromstring(str(network(graph)))
    nodes = [(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in root.iter("circle")]
    assert len(nodes) == len(graph.ops) + 1
    places = {graph.input: nodes[0]}
    places |= {op.output: place for op, place in zip(graph.ops, nodes[1:], strict=True)}
    wanted = sorted((places[one], places[op.output]) for op in graph.ops for one in op.inputs)
    found = []
    for path in root.iter("path"):
        numbers = [float(one) for one in re.findall(r"[\d.]+", path.attrib["d"])]
        start, end = (numbers[0], numbers[1]), (numbers[-2], numbers[-1])
        found.append((start, end if "C" in path.attrib["d"] else (start[0], numbers[-1])))
    assert sorted(found) == wanted


def test_an_edge_passes_no_other_node() -> None:
    """A lane that a map goes along is nobody else's until the map is read."""
    for name in NAMES:
        root = ElementTree.fromstring(str(network(graph_of(name))))
        nodes = [(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in root.iter("circle")]
        for path in root.iter("path"):
            first = re.match(r"M([\d.]+) ([\d.]+)V([\d.]+)", path.attrib["d"])
            if first:
                x, top, end = map(float, first.groups())
                assert [at for at in nodes if at[0] == x and top < at[1] < end] == []


def test_words_beside_operators() -> None:
    graph = graph_of(NAMES[0])
    hostile = replace(graph.ops[0], name="<b>&\0" + "long" * 100)
    drawn = network(replace(graph, ops=(hostile, *graph.ops[1:])), {0: "dsp <fast>"})
    text = str(drawn)
    assert "dsp &lt;fast&gt;" in text
    assert "<b>" not in text
    shape = " x ".join(map(str, graph.tensors[hostile.output].hwc))
    assert shape in text
    assert drawn.width < 1200


def test_a_huge_network_is_cut_and_says_so() -> None:
    graph = graph_of(NAMES[0])
    op = graph.ops[0]
    many = tuple(
        replace(op, name=f"op {at}", inputs=(graph.input,), output=op.output) for at in range(5000)
    )
    drawn = network(replace(graph, ops=many))
    assert f"and {5000 - MAX_ROWS:,} more operators" in str(drawn)
    assert len(str(drawn)) < 400_000
