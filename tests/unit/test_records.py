"""Records: written and read by their types, and every complaint names a place."""

import dataclasses
import types
import typing
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from edgesq.accuracy import AccuracyReport
from edgesq.builds import ExportReport
from edgesq.records import Count, json_text, made, plain
from edgesq.targets import Target
from edgesq.verify import VerifyReport


@dataclass(frozen=True)
class Inner:
    count: Count
    pair: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Outer:
    rows: tuple[Inner, ...]
    by_height: dict[int, Annotated[int, Meta(ge=1)]]
    kind: Literal["a", "b"] = "a"


GOOD: dict[str, Any] = {"rows": [{"count": 3, "pair": [1, 2.5]}], "by_height": {"8": 2}}


def test_what_is_written_is_read() -> None:
    record = made(Outer, GOOD | {"later": "left alone"})
    assert record == Outer((Inner(3, (1.0, 2.5)),), {8: 2})
    assert made(Outer, plain(record)) == record
    assert '"8": 2' in json_text(record)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rows": [{}]}, "key 'rows[0].count' is missing"),
        ({"rows": [{"count": True}]}, "key 'rows[0].count': expected int, got bool"),
        ({"rows": [{"count": -1}]}, "key 'rows[0].count': expected int >= 0"),
        ({"rows": [{"count": 1 << 70}]}, "key 'rows[0].count': expected int <= "),
        ({"rows": [{"count": 1, "pair": [1]}]}, "key 'rows[0].pair': expected array of length 2"),
        ({"rows": None}, "key 'rows': expected array, got null"),
        ({"by_height": {"x": 1}}, "key 'by_height': expected int, got str"),
        ({"by_height": {"8": 0}}, "key 'by_height[...]': expected int >= 1"),
        ({"kind": "`c` - at `$.x`\n"}, "key 'kind': invalid enum value"),
        ({"kind": "x" * 10_000}, "key 'kind': invalid enum value"),
    ],
)
def test_a_complaint_names_the_place(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        made(Outer, GOOD | change)
    assert str(caught.value).startswith(says)
    assert len(str(caught.value)) < 300


def test_what_is_no_object() -> None:
    with pytest.raises(ValueError, match=r"^expected object, got array$"):
        made(Outer, [])
    with pytest.raises(ValueError, match=r"^key 'rows' is missing$"):
        made(Outer, {})


def types_in(hint: Any, seen: set[Any]) -> None:
    """Collect a type and all that it is made of."""
    if hint in seen:
        return
    seen.add(hint)
    for part in typing.get_args(hint):
        if not isinstance(part, Meta | str):
            types_in(part, seen)
    if dataclasses.is_dataclass(hint):
        for part in typing.get_type_hints(hint, include_extras=True).values():
            types_in(part, seen)


@pytest.mark.parametrize("record", [ExportReport, VerifyReport, AccuracyReport, Target])
def test_no_record_has_a_type_that_msgspec_crashes_on(record: type) -> None:
    seen: set[Any] = set()
    types_in(record, seen)
    for union in seen:
        if typing.get_origin(union) not in (types.UnionType, typing.Union):
            continue
        parts = typing.get_args(union)
        fixed = [p for p in parts if typing.get_origin(p) is tuple and Ellipsis not in p.__args__]
        ranged = [p for p in parts if typing.get_origin(p) is Annotated]
        assert not (fixed and ranged), union
