"""Trials on a Ray cluster: two nodes on this computer, one of them killed in the middle."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is in the extra `search`")

from ray.cluster_utils import Cluster

from edgesq.errors import ToolError
from edgesq.search.folder import StudyFolder
from edgesq.search.on_ray import RayEngine
from edgesq.search.records import Row
from edgesq.search.run import Until, run
from support.searching import TinySpace, shelf, tiny_study

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("EDGESQ_TEST_TRAINING_S", "1")
    monkeypatch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    made = Cluster()
    for _ in range(2):
        made.add_node(num_cpus=1, object_store_memory=80_000_000, include_dashboard=False)
    yield made
    made.shutdown()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("127.0.0.1:9", "no Ray cluster"),
        ("ray://127.0.0.1:9", "no Ray cluster"),
        ("127.0.0.1:99999", "no Ray cluster"),
        ("somewhere", "is no address"),
    ],
)
def test_an_address_without_a_cluster_is_not_waited_for(
    tmp_path: Path, address: str, says: str
) -> None:
    with pytest.raises(ToolError, match=says):
        RayEngine(address, shelf(StudyFolder(tmp_path)), cpus=1, gpus=0, workers=None)


def test_a_node_that_is_killed_loses_no_trial(cluster: Cluster, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study")
    study = tiny_study(folder, TinySpace())
    engine = RayEngine(cluster.address, shelf(folder), cpus=1, gpus=0, workers=None)
    assert engine.workers == 2
    ended: list[int] = []

    def on_row(row: Row) -> None:
        ended.append(row.number)
        if len(ended) == 2:
            node = next(node for node in cluster.list_all_nodes() if node is not cluster.head_node)
            cluster.remove_node(node, allow_graceful=False)

    document = run(study, engine, Until(4), on_row)
    assert sorted(ended) == [row.number for row in document.rows]
    assert all(row.outcome.accuracy is not None for row in document.rows)
    files = {int(file.stem) for file in (folder.path / "trials").iterdir()}
    assert files == {row.number for row in document.rows if row.same_as is None}
    assert len(files) == 4
