"""What Arduino's and PlatformIO's tools ask of a library, held for the two of each export.

The rules of the manifests are the schemas in support/manifests. Here are those of the folders.
Source: arduino-lint 1.3, rules for libraries (LS, LC, LD) and sketches (SS).
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edgesq.project import Layout
from edgesq.resources import resource
from support.cases import NETWORKS
from support.libraries import library
from support.paths import SUPPORT

LIBRARIES = ("edgesq", "person_model")
README = re.compile(r"readme\.(md|txt|adoc|rst)", re.I)
LICENSE = re.compile(r"licen[sc]e(\.(md|txt|html))?", re.I)
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
BAD_INCLUDE = re.compile(r'^\s*#\s*include\s*["<](?!Arduino\.h)(?i:arduino\.h)[">]', re.M)
SOURCES = {".ino", ".c", ".cpp", ".h", ".S"}


def schema(name: str) -> Any:
    return json.loads((SUPPORT / "manifests" / f"{name}.json").read_text())


def properties(folder: Path) -> dict[str, str]:
    lines = (folder / "library.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="module")
def arduino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = tmp_path_factory.mktemp("arduino")
    return library(build, Layout.ARDUINO, NETWORKS["fire"](), "person").folder


@pytest.mark.parametrize("name", LIBRARIES)
def test_library_properties(arduino: Path, name: str) -> None:
    fields = properties(arduino / name)
    jsonschema.validate(fields, schema("library_properties"), jsonschema.Draft202012Validator)
    assert fields["name"] == name
    assert fields["version"] != "0.0.0"
    assert fields["sentence"] not in fields["paragraph"]
    assert fields["includes"] == f"{name}.h", "the first that a sketch includes is called so"
    assert (arduino / name / "src" / fields["includes"]).is_file()


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_folder_of_an_arduino_library(arduino: Path, name: str) -> None:
    folder = arduino / name
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(README.fullmatch(path.name) for path in folder.iterdir())
    assert any(LICENSE.fullmatch(path.name) for path in folder.iterdir())
    assert list(folder.rglob("library.properties")) == [folder / "library.properties"]
    assert {path.name for path in folder.iterdir() if path.is_dir()} <= {"src", "examples"}
    assert not [path for path in files if path.is_symlink() or path.suffix in {".exe", ".pde"}]
    sources = [path for path in files if path.suffix in SOURCES]
    assert [path for path in sources if not FILE_NAME.fullmatch(path.name)] == []
    assert [path for path in sources if BAD_INCLUDE.search(path.read_text())] == []


def test_sketches_stand_where_they_are_looked_for(arduino: Path) -> None:
    sketches = sorted(path.relative_to(arduino).as_posix() for path in arduino.rglob("*.ino"))
    examples = "person_model/examples"
    assert sketches == [f"{examples}/{name}/{name}.ino" for name in ("classify", "verify")]


@pytest.mark.parametrize("name", LIBRARIES)
def test_library_json(name: str, tmp_path: Path) -> None:
    made = library(tmp_path, Layout.PLATFORMIO, NETWORKS["fire"](), "person")
    folder = made.folder / "lib" / name
    manifest = json.loads((folder / "library.json").read_text())
    jsonschema.validate(manifest, schema("library_json"), jsonschema.Draft202012Validator)
    assert manifest["name"] == name
    assert manifest["version"] != "0.0.0"
    assert (folder / manifest["build"]["includeDir"] / manifest["headers"]).is_file()
    assert (folder / manifest["build"]["srcDir"]).is_dir()


@pytest.mark.parametrize("layout", list(Layout))
def test_every_library_says_what_it_is_and_under_which_licence(
    layout: Layout, tmp_path: Path
) -> None:
    made = library(tmp_path, layout, NETWORKS["fire"](), "person")
    licences = {path.parent: path.read_text() for path in made.folder.rglob("LICENSE")}
    texts = {folder.name: text for folder, text in licences.items()}
    of_runtime = made.folder.name if layout is Layout.CMAKE else "edgesq"
    assert texts.pop(of_runtime) == resource("LICENSE").read_text()
    assert list(texts) == ["person_model"] * (layout is not Layout.CMAKE)
    assert all((folder / "README.md").is_file() for folder in licences if folder != made.folder)
