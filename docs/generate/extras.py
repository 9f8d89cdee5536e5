"""What `pip install edgesq` leaves out, from the table of extras."""

from edgesq.extras import EXTRAS
from generate.markdown import code, plain, table


def extras() -> str:
    """Return a row for each extra."""
    rows = [
        [code(one.command), plain(one.needed_for), ", ".join(one.packages.values())]
        for one in EXTRAS
    ]
    return table(("command", "needed for", "brings"), rows)
