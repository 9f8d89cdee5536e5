"""A storage's URL, as it may be shown and kept."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def without_password(url: str) -> str:
    """Return a URL without its password: what opens the storage finds it elsewhere, or is told."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL: what opens it says so
        return url.rpartition("@")[2]
    user, at, place = parts.netloc.rpartition("@")
    given = parse_qsl(parts.query)
    asked = [(key, value) for key, value in given if key != "password"]
    if ":" not in user and asked == given:
        return url
    query = parts.query if asked == given else urlencode(asked)
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{at}{place}", query=query))
