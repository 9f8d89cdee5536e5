"""The table of kernel families: complete, told apart, and what everything else reads of it."""

import re
from dataclasses import replace

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.kernels.families import FAMILIES, families_of
from edgesq.kernels.family import Family
from edgesq.kernels.kernel import CONV_PARTS, PORTABLE, Coded, Form, Kernel, Tabled
from edgesq.plan import PlanRequest, make_plan
from edgesq.plan.lower import lower
from edgesq.plan.request import Bands
from edgesq.resources import resource
from edgesq.targets import TFLM_KERNELS, list_targets
from support.networks import RECTIFIED, Network
from support.paths import ROOT
from support.tflite_builder import RELU
from support.value_cases import VALUE_NETWORKS

FIRMWARE = resource("firmware")

KNOWS = ("kernels/", "verify/cores.py")
"""What may name a family other than the portable one: the table, and which core runs which."""

FEWEST = {PORTABLE: {0}, "scalar": {0, 1, 3}}
"""Pixels of the last kernel; portable kernels have no such choice, a depthwise scalar one has 3."""

every_family = pytest.mark.parametrize("name", FAMILIES)


@every_family
def test_a_family_has_a_folder_of_c(name: str) -> None:
    folder = "ops" if name == PORTABLE else name
    assert list((FIRMWARE / "src" / folder).glob("*.c"))


def test_targets_have_kernels_of_the_table() -> None:
    assert {target.kernels for target in list_targets()} - {TFLM_KERNELS} <= set(FAMILIES)


def test_cores_run_slower_families_and_those_for_any_core() -> None:
    assert families_of("dsp") == ("portable", "scalar", "dsp")
    assert families_of(PORTABLE) == ("portable", "scalar")


@every_family
def test_every_function_is_declared(name: str) -> None:
    headers = "".join(path.read_text() for path in (FIRMWARE / "include").glob("*.h"))
    declared = set(re.findall(r"^esq_run_fn (\w+);", headers, re.MULTILINE))
    for build in VALUE_NETWORKS.values():
        plan = make_plan(read_graph(build()), PlanRequest(name))
        assert {item.kernel.function for item in plan.ops} <= declared


def test_a_function_says_family_and_whether_a_convolution_has_parts() -> None:
    kernel = Kernel("dsp", "esq_run_conv2d")
    assert kernel.function == "esq_run_conv2d_dsp"
    assert Kernel(PORTABLE, "esq_run_conv2d").function == "esq_run_conv2d"
    coded = replace(kernel, name=CONV_PARTS, coded=Coded(4, 8, 0, 0, 0, 16))
    assert coded.function == CONV_PARTS
    made = replace(kernel, name="esq_run_depthwise_conv2d_tabled", tabled=Tabled(4, 0, 1))
    assert made.function == "esq_run_depthwise_conv2d_tabled_dsp"
    winograd = replace(coded, name="esq_run_winograd", form=Form.WINOGRAD)
    assert winograd.function == "esq_run_winograd_dsp_streamed"
    groups = Kernel("mve", "esq_run_grouped_conv2d", Form.GROUPS)
    assert groups.function == "esq_run_conv2d_groups"


@every_family
def test_fewest_pixels_come_last(name: str) -> None:
    """The planner begins with the last kernel, and tries those before it as memory allows."""
    net = Network((8, 8, 16), RECTIFIED)
    step = net.conv(net.input, 16, (3, 3), activation=RELU, quant=RECTIFIED)
    graph = read_graph(net.build(net.depthwise(step, (3, 3), activation=RELU, quant=RECTIFIED)))
    family: Family = FAMILIES[name]
    for item in lower(graph, Bands()).ops:
        for grows in (False, True):
            found = list(family.kernels(graph, item, grows))
            transforming = (Form.WINOGRAD, Form.SQUARES)
            pixels = [one.pixels for one in found if one.form not in transforming]
            assert pixels == sorted(pixels, reverse=True)
            assert found[-1].pixels in FEWEST.get(name, {1})


def test_only_the_table_knows_families_by_name() -> None:
    """A new family is a row, a module and a folder of C; nothing else asks for its name."""
    others = "|".join(name for name in FAMILIES if name != PORTABLE)
    named = re.compile(rf"\"(?:{others})\"")
    wrong = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "edgesq").rglob("*.py"))
        if named.search(re.sub(r'"""[\s\S]*?"""', "", path.read_text()))
        and not path.relative_to(ROOT / "edgesq").as_posix().startswith(KNOWS)
    ]
    assert wrong == []
