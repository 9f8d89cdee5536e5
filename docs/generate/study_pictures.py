"""`python -m generate.study_pictures STUDY TITLE NAME...`: pictures of a study, as of its page.

NAME is flash, ram, instructions, squeeze_ratio or pct_3x3; each is written to docs/assets as
search-TITLE-NAME.svg.
"""

import sys
from pathlib import Path

from edgesq.files import read_json
from edgesq.records import made
from edgesq.search.folder import RESULT
from edgesq.search.page import curves, fronts
from edgesq.search.records import StudyDocument
from generate.pictures import ASSETS


def main(study: Path, title: str, *names: str) -> None:
    """Draw."""
    document = made(StudyDocument, read_json(study / RESULT))
    there = {**fronts(document), **curves(document)}
    for name in names:
        there[name].write(ASSETS / f"search-{title}-{name.replace('_', '-')}.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
