"""The name that a model's C symbols and files begin with."""

import re

from edgesq.errors import EdgesqError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_MAX_CHARACTERS = 40

DEFAULT_NAME = "my"
"""Where a model's file gives none."""

_TAKEN = {"esq", "edgesq"}
"""`esq_model.h` and the runtime's own folder."""

_KEYWORD_TEXT = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t
    char16_t char32_t class co_await co_return co_yield compl concept const const_cast
    consteval constexpr constinit continue decltype default delete do double dynamic_cast
    else enum explicit export extern false float for friend goto if inline int long mutable
    namespace new noexcept not not_eq nullptr operator or or_eq private protected public
    register reinterpret_cast requires restrict return short signed sizeof static
    static_assert static_cast struct switch template this thread_local throw true try
    typedef typeid typename typeof typeof_unqual union unsigned using virtual void volatile
    wchar_t while xor xor_eq
"""

_KEYWORDS = frozenset(_KEYWORD_TEXT.split())
"""Of C and C++."""


def check_name(name: str) -> str:
    """Return `name` if it can begin C names: `person` gives `person_model`.

    Raises:
        EdgesqError: no C identifier, a keyword of C or C++, reserved, or the runtime's own.
    """
    wrong = _complaint(name)
    if wrong:
        raise EdgesqError(wrong, where=f"--name {name!r}", hint="give a C identifier, as `person`")
    return name


def name_of(model: str) -> str:
    """Return a name for a model that was given none: its file's, as far as C takes it."""
    words = re.sub(r"[^a-z0-9]+", "_", model.lower()).lstrip("_0123456789").rstrip("_")
    name = words.removesuffix("_model")[:_MAX_CHARACTERS].rstrip("_")
    return DEFAULT_NAME if _complaint(name) else name


def _complaint(name: str) -> str:
    if not _NAME.fullmatch(name):
        return "is no C identifier, or one that C and C++ reserve"
    if name in _KEYWORDS:
        return "is a keyword of C or C++"
    if name.lower() in _TAKEN:
        return "is the runtime's own name"
    return "" if len(name) <= _MAX_CHARACTERS else f"is longer than {_MAX_CHARACTERS} characters"
