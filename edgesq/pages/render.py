"""Fill a template: pages need nothing but themselves, and escape what they are given."""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from edgesq.pages.picture import clean, style


def render(package: str, template: str, **values: Any) -> str:
    """Return a template of a package, filled; it may build on those of this room.

    Args:
        package: that the template lies in.
        template: its file name.
        values: what it is filled with; text is escaped, a Picture is not.
    """
    folders = [PackageLoader(name, ".") for name in (package, __package__)]
    environment = Environment(
        loader=ChoiceLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["style"] = lambda name: Markup(style(name))
    return clean(environment.get_template(template).render(values))
