"""The CMSIS-Pack: its description against its files and its schema, and its verifying example.

The example is compiled from the files that the description names, against stand-ins for
CMSIS-Driver and a device, whose USART is standard input and output; no Keil, IAR or csolution is
there. EDGESQ_PACK_SCHEMA names PACK.xsd of Open-CMSIS-Pack-Spec.
"""

import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
import yaml

from edgesq.kernels.families import FAMILIES
from edgesq.project import Layout
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import STRICT, Library, check_verifies, library, verify_build
from support.paths import STANDINS

SCHEMA = os.environ.get("EDGESQ_PACK_SCHEMA")
STANDIN = STANDINS / "cmsis-pack"
OF_THE_CORE = "cycles.c"
"""Reads registers, which this computer has not: the stand-in counts."""

MOST_CHARACTERS = 32
"""Of Cclass, Cgroup and Csub: PACK.xsd."""

Context = dict[str, str]
M0 = {"Dcore": "Cortex-M0", "Tcompiler": "GCC"}
M3 = {"Dcore": "Cortex-M3", "Tcompiler": "CLANG"}
M4 = {"Dcore": "Cortex-M4", "Tcompiler": "ARMCC", "Toptions": "AC6"}
M55 = {"Dcore": "Cortex-M55", "Tcompiler": "GCC"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return pack(tmp_path_factory.mktemp("pack"))


def pack(folder: Path, name: str = "person", kernels: str = "portable") -> Library:
    return library(folder, Layout.CMSIS_PACK, NETWORKS["every_operator"](), name, kernels)


def described(made: Library) -> Element:
    (path,) = made.folder.glob("*.pdsc")
    return ElementTree.parse(path).getroot()


def files(root: Element) -> Iterator[tuple[str, str | None]]:
    """Yield place and condition of each file of the components."""
    for file in root.iterfind("components/component/files/file"):
        yield file.attrib["name"], file.get("condition")


def holds(root: Element, condition: str | None, context: Context) -> bool:
    """Say whether a condition holds for a core and a compiler; components count as chosen."""
    if condition is None:
        return True
    (found,) = root.iterfind(f"conditions/condition[@id='{condition}']")
    results: dict[str, list[bool]] = {"require": [], "accept": [], "deny": []}
    for rule in found:
        if rule.tag in results:
            results[rule.tag].append(fits(root, rule, context))
    accepted = any(results["accept"]) or not results["accept"]
    return all(results["require"]) and accepted and not any(results["deny"])


def fits(root: Element, rule: Element, context: Context) -> bool:
    wanted = dict(rule.attrib)
    if "condition" in wanted:
        return holds(root, wanted["condition"], context)
    return "Cclass" in wanted or all(
        value in ("*", context.get(key)) for key, value in wanted.items()
    )


def test_the_description_names_what_is_there(made: Library) -> None:
    root = described(made)
    named = [place for place, _ in files(root)]
    assert len(named) == len(set(named))
    assert all((made.folder / place).exists() for place in named)
    assert all((made.folder / place).is_dir() == place.endswith("/") for place in named)
    sources = {
        path.relative_to(made.folder).as_posix()
        for path in made.folder.rglob("*")
        if path.suffix in (".c", ".S")
    }
    assert {place for place in named if Path(place).suffix in (".c", ".S")} == sources
    for template in root.iterfind("csolution/template"):
        solution = made.folder / template.attrib["path"] / template.attrib["file"]
        check_solution(solution, root)


def check_solution(path: Path, root: Element) -> None:
    """Hold that a template's projects, sources and components of ours are there."""
    release = root.find("releases/release")
    assert release is not None
    ids = {
        ":".join(one.attrib[key] for key in ("Cclass", "Cgroup", "Csub"))
        for one in root.iterfind("components/component")
    }
    solution = yaml.safe_load(path.read_text())["solution"]
    assert f"edgesq::{root.findtext('name')}@{release.attrib['version']}" in [
        one["pack"] for one in solution["packs"]
    ]
    for entry in solution["projects"]:
        project = yaml.safe_load((path.parent / entry["project"]).read_text())["project"]
        for group in project["groups"]:
            assert all((path.parent / file["file"]).is_file() for file in group["files"])
        ours = {one["component"] for one in project["components"]}
        assert len(ours & ids) == len([one for one in ours if one.startswith("Machine")]) >= 2


def test_conditions_and_versions(made: Library) -> None:
    root = described(made)
    known = {one.attrib["id"] for one in root.iterfind("conditions/condition")}
    used = {one.attrib["condition"] for one in root.iter() if "condition" in one.attrib}
    assert used <= known
    assert set(FAMILIES) <= known
    texts = [value for one in root.iter() for value in (one.text or "", *one.attrib.values())]
    assert not [text for text in texts if re.search(r"0\.0\.0|sample|<!--", text)]
    (release,) = root.iterfind("releases/release")
    version = release.attrib["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    components = list(root.iterfind("components/component"))
    assert {one.attrib["Cversion"] for one in components} == {version}
    assert (made.folder / f"edgesq.person_model.{version}.pack").is_file()


def test_a_core_takes_the_models_that_it_runs(made: Library, tmp_path: Path) -> None:
    root = described(made)
    for kernels, context, is_taken in (
        ("portable", {"Dcore": "Cortex-M0", "Tcompiler": "IAR"}, True),
        ("scalar", M0, True),
        ("scalar", {"Dcore": "Cortex-M33", "Tcompiler": "IAR"}, True),
        ("scalar", {"Dcore": "Cortex-M3", "Tcompiler": "IAR"}, False),
        ("scalar", {"Dcore": "Cortex-M4", "Tcompiler": "ARMCC", "Toptions": "AC5"}, False),
        ("dsp", M4, True),
        ("dsp", M55, True),
        ("dsp", M3, False),
        ("dsp", {"Dcore": "Cortex-M4", "Tcompiler": "IAR"}, False),
        ("mve", M55, True),
        ("mve", M4, False),
    ):
        assert holds(root, kernels, context) == is_taken, (kernels, context)
    for one, kernels in ((made, "portable"), (pack(tmp_path, kernels="dsp"), "dsp")):
        (model,) = described(one).iterfind("components/component[@condition='person_model']")
        assert model.attrib["Csub"] == "person_model"
        rules = described(one).iterfind("conditions/condition[@id='person_model']/require")
        assert [rule.get("condition") for rule in rules] == [kernels, None]


@pytest.mark.parametrize("context", [M0, M3, M4, M55])
def test_a_core_gets_the_assembler_that_its_c_calls(context: Context, made: Library) -> None:
    """What a file of C declares for a core is defined in assembler that this core compiles."""
    macros = {
        "Cortex-M0": ("__ARM_ARCH_6M__",),
        "Cortex-M3": ("__ARM_ARCH_7M__",),
        "Cortex-M4": ("__ARM_FEATURE_DSP",),
        "Cortex-M55": ("__ARM_FEATURE_DSP", "__ARM_FEATURE_MVE"),
    }[context["Dcore"]]
    root = described(made)
    taken = {place for place, condition in files(root) if holds(root, condition, context)}
    assembler = [path for path in made.folder.rglob("*.S") if path.parts[-3] != "link"]
    assert assembler
    for path in assembler:
        guard = re.search(r"#if (defined\(__ARM.*)", path.read_text())
        assert guard is not None, path.name
        is_compiled = any(f"({macro})" in guard[1] for macro in macros)
        assert (path.relative_to(made.folder).as_posix() in taken) == is_compiled, path.name


def test_long_names_are_cut_everywhere(tmp_path: Path) -> None:
    name = "a_name_that_is_as_long_as_they_may_be_40"
    made = pack(tmp_path, name)
    root = described(made)
    names = {one.attrib["Csub"] for one in root.iterfind("components/component")}
    assert names == {"Runtime", f"{name}_model"[:MOST_CHARACTERS]}
    for template in root.iterfind("csolution/template"):
        check_solution(made.folder / template.attrib["path"] / template.attrib["file"], root)


def test_the_archive_is_the_folder_and_always_the_same(tmp_path: Path) -> None:
    contents = []
    for once in ("one", "two"):
        made = pack(tmp_path / once)
        (archive,) = made.folder.glob("*.pack")
        contents.append(archive.read_bytes())
        with zipfile.ZipFile(archive) as opened:
            held = {entry: opened.read(entry) for entry in opened.namelist()}
        lying = {
            path.relative_to(made.folder).as_posix(): path.read_bytes()
            for path in made.folder.rglob("*")
            if path.is_file() and path != archive
        }
        assert held == lying
        assert list(held) == sorted(held)
    assert contents[0] == contents[1]


@pytest.mark.skipif(not SCHEMA, reason="EDGESQ_PACK_SCHEMA names no PACK.xsd")
def test_the_description_is_valid(made: Library) -> None:
    etree = pytest.importorskip("lxml.etree", reason="it reads the schema")
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    (path,) = made.folder.glob("*.pdsc")
    assert schema.validate(etree.parse(path)), schema.error_log


@pytest.mark.slow
def test_the_verifying_example(made: Library, tmp_path: Path) -> None:
    root = described(made)
    here = {"Dcore": "other", "Tcompiler": "GCC"}
    named = [place for place, condition in files(root) if holds(root, condition, here)]
    sources = [place for place in named if place.endswith(".c") and "classify" not in place]
    folders = [f"-I{made.folder / place}" for place in named if place.endswith("/")]
    run_command(
        *("gcc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O1", *STRICT.split(), *folders),
        *(f"-I{STANDIN}", STANDIN / "core.c", "-o", tmp_path / "verify"),
        *(made.folder / place for place in sources if Path(place).name != OF_THE_CORE),
    )
    build = verify_build(tmp_path / "edgesq", NETWORKS["every_operator"](), "host")
    check_verifies(build, [str(tmp_path / "verify")], tmp_path / "log")
