"""The storage: what a database raises, what it holds that no search wrote, what it never holds."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from edgesq.errors import EdgesqError
from edgesq.search.folder import StudyFolder
from edgesq.search.records import Outcome
from edgesq.search.store import Store
from edgesq.search.urls import without_password
from support.searching import TinySpace, tiny_study


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'study.db'}?timeout=0.1", "edgesq some", 1, resume=False)


def test_a_database_that_is_locked(store: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "study.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(EdgesqError, match="the storage failed: database is locked") as raised:
        store.ask()
    assert "go on by --resume" in str(raised.value)
    other.execute("ROLLBACK")
    other.close()
    assert store.ask().number == 0


def test_a_disk_that_is_full(store: Store) -> None:
    """SQLite says the same of a file that may not grow."""
    trial = store.ask()

    @sqlalchemy.event.listens_for(sqlalchemy.engine.Engine, "checkout")
    def no_more(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    try:
        with pytest.raises(EdgesqError, match="the storage failed: database or disk is full"):
            store.keep(trial, {"filler": "x" * 1_000_000})
    finally:
        sqlalchemy.event.remove(sqlalchemy.engine.Engine, "checkout", no_more)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("outcome", {"state": "sleeping"}, "trial 0 of edgesq some is damaged"),
        ("outcome", None, "expected object"),
        ("params", "{", "trial 0 of edgesq some is damaged"),
        ("params", 7, "trial 0 of edgesq some is damaged"),
        ("same_as", "x", "key 'same_as': expected int"),
    ],
)
def test_what_no_search_wrote(
    store: Store, tmp_path: Path, key: str, value: object, says: str
) -> None:
    trial = store.ask()
    store.keep(trial, {"width": 1})
    store.tell(trial, Outcome("failed", why="none"))
    assert len(store.rows()) == 1
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("DELETE FROM trial_user_attributes WHERE key = ?", (key,))
        database.execute(
            "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (1, ?, ?)",
            (key, json.dumps(value)),
        )
    again = Store(f"sqlite:///{tmp_path / 'study.db'}", "edgesq some", 1, resume=True)
    with pytest.raises(EdgesqError) as raised:
        again.rows()
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////tmp/a.db?timeout=1", "sqlite:////tmp/a.db?timeout=1"),
        ("postgresql://me:pass%40word@db:5432/x", "postgresql://me@db:5432/x"),
        ("postgresql+psycopg://me:secret@[::1]/x?a=b", "postgresql+psycopg://me@[::1]/x?a=b"),
        ("postgresql://db/x?user=me&password=secret&a=b", "postgresql://db/x?user=me&a=b"),
        ("postgresql://me@db/x", "postgresql://me@db/x"),
        ("postgresql://me:secret@[db/x", "[db/x"),
    ],
)
def test_a_password_is_neither_kept_nor_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
    with pytest.raises(EdgesqError) as raised:
        Store(url.replace("sqlite", "nothing"), "edgesq some", 1, resume=True)
    assert "secret" not in str(raised.value)


def test_two_new_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    settings = tiny_study(StudyFolder(tmp_path / "other"), TinySpace()).settings
    one, two = StudyFolder(tmp_path / "study"), StudyFolder(tmp_path / "study")

    def begin_second() -> None:
        with two.held(settings):
            pass

    one.path.mkdir()
    with one.held(), pytest.raises(EdgesqError, match="is used by another run"):
        begin_second()
    with one.held(settings), pytest.raises(EdgesqError, match="holds a study"):
        begin_second()
    one.discard()
    assert one.path.is_dir(), "it was there before"
    begin_second()
    assert (one.path / "study.json").is_file()
