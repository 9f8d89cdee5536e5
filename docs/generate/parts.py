"""Parts of pages that are made from the source: `<!-- made: NAME -->` becomes Markdown."""

import re
from collections.abc import Callable

PARTS: dict[str, Callable[[], str]] = {}
"""Name in a page's mark to what makes the part."""

_MARK = re.compile(r"^<!-- made: (\S+) -->$", re.M)


def filled(markdown: str) -> str:
    """Return a page with each mark replaced by its part.

    Raises:
        KeyError: a mark names no part.
    """
    return _MARK.sub(lambda found: PARTS[found[1]](), markdown)
