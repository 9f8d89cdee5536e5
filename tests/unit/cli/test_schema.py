"""`edgesq schema`: valid schemas in which every key is explained."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from edgesq.cli.app import app
from edgesq.cli.choices import Document
from edgesq.resources import resource


@pytest.mark.parametrize("document", Document)
def test_every_key_is_explained(document: Document) -> None:
    said = CliRunner().invoke(app, ["schema", document.value])
    assert said.exit_code == 0, said.output
    schema = json.loads(said.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, part in schema["$defs"].items():
        for key, value in part.get("properties", {}).items():
            assert value.get("description"), (name, key)


@pytest.mark.parametrize("path", sorted(resource("targets").glob("*.toml")), ids=lambda p: p.stem)
def test_boards_are_as_the_schema_of_targets_says(path: Path) -> None:
    table = tomllib.loads(path.read_text())
    if "board" not in table:  # else it is another one's name
        schema = json.loads(CliRunner().invoke(app, ["schema", "target"]).stdout)
        jsonschema.validate(table, schema, jsonschema.Draft202012Validator)
