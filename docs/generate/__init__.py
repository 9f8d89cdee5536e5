"""The site's pages, staged: taken from docs/ and the repository, filled in, their links turned.

A staged folder is plain Markdown and a mkdocs.yml: no site generator's hooks are needed.
"""

from generate.stage import stage

__all__ = ["stage"]
