"""Lay the site's pages and its mkdocs.yml into a folder."""

import shutil
from pathlib import Path
from typing import Any

import yaml

from generate import links, nav, parts
from generate.places import DOCS, ROOT


def stage(folder: Path) -> None:
    """Write everything that a site generator needs: `mkdocs.yml`, and the pages in `pages`.

    Args:
        folder: replaced where it exists.

    Raises:
        KeyError: a page asks for a part that nobody makes.
        FileNotFoundError: the nav names a page that is nowhere.
    """
    config = yaml.safe_load((ROOT / DOCS / "mkdocs.yml").read_text())
    config["nav"] = nav.expanded(config["nav"])
    sources = {**_files_of_docs(), **nav.outside(config["nav"])}
    shutil.rmtree(folder, ignore_errors=True)
    for uri, source in sources.items():
        path = folder / "pages" / uri
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            page = links.turned(parts.filled(source.read_text()), uri, source, set(sources))
            path.write_text(page)
        else:
            shutil.copyfile(source, path)
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(_placed(config), sort_keys=False))


def _files_of_docs() -> dict[str, Path]:
    """Return the files of docs/ that are of the site, by their URI."""
    found = (path for path in (ROOT / DOCS).rglob("*") if path.is_file())
    return {
        path.relative_to(ROOT / DOCS).as_posix(): path
        for path in sorted(found)
        if "generate" not in path.relative_to(ROOT / DOCS).parts and path.name != "mkdocs.yml"
    }


def _placed(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with places that hold from wherever it lies."""
    for plugin in config["plugins"]:
        if isinstance(plugin, dict) and "mkdocstrings" in plugin:
            plugin["mkdocstrings"]["handlers"]["python"]["paths"] = [str(ROOT)]
    return {**config, "docs_dir": "pages", "site_dir": str(ROOT / "build" / "site")}
