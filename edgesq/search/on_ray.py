"""Trials as Ray tasks, on whatever machines a Ray cluster has.

The machines need edgesq with the extra `search`; images and a space's text go to them by Ray.
"""

from __future__ import annotations

import logging
import socket
from typing import Any

from edgesq.errors import ToolError
from edgesq.extras import require
from edgesq.search.engine import MAX_TRIES, Engine, ImageStore
from edgesq.search.images import Images
from edgesq.search.records import Outcome
from edgesq.search.trial import Result, Task, plan_trial, train_trial

_CLIENT = "ray://"
_PROBE_S = 10.0


def run_trial(task: Task, images: Images) -> Result:
    """Run a trial where Ray has put it."""
    outcome = plan_trial(task)
    return train_trial(task, outcome, images) if outcome.state == "trained" else Result(outcome)


def _options(address: str) -> dict[str, Any]:
    """Return what keeps Ray quiet; over ray:// it takes no options."""
    if address.startswith(_CLIENT):
        return {}
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    return {**quiet, "include_dashboard": False} if address == "local" else quiet


def _probe(address: str) -> None:
    """Refuse an address at which nothing listens: Ray waits there for ever.

    Raises:
        ToolError: it is none, or nothing answers within `_PROBE_S`.
    """
    if address in ("auto", "local"):
        return
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    if not host or not port.isdecimal():
        raise ToolError("is no address", where=address, hint="auto, HOST:PORT or ray://HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PROBE_S).close()
    except (OSError, OverflowError) as error:
        raise ToolError(
            f"no Ray cluster: {error}", where=address, hint="ray start --head says its address"
        ) from error


class RayEngine(Engine):
    """Runs trials as Ray tasks; one whose machine is lost is run again on another.

    Args:
        address: "auto", "ray://HOST:PORT", or "local" for a cluster of this computer alone.
        store: of the images.
        cpus: of a trial.
        gpus: of a trial, perhaps a part of one.
        workers: trials at once; None for as many as the cluster has room for.

    Raises:
        MissingExtraError: Ray is not installed.
        ToolError: there is no cluster, or nothing listens at its address.
    """

    def __init__(
        self, address: str, store: ImageStore, cpus: float, gpus: float, workers: int | None
    ) -> None:
        require("ray")
        import ray

        _probe(address)
        try:
            ray.init(address, **_options(address))
        except Exception as error:  # of many kinds
            said = " ".join(str(error).split())[:200]
            raise ToolError(
                f"no Ray cluster: {said}", where=address, hint="ray start --head"
            ) from error
        self._ray = ray
        self._store = store
        there = ray.cluster_resources()
        room = int(there.get("CPU", 0) // cpus)
        room = min(room, int(there.get("GPU", 0) // gpus)) if gpus else room
        if not room:
            ray.shutdown()
            raise ToolError(
                f"no trial fits: {cpus:g} CPUs and {gpus:g} GPUs are asked for, "
                f"{there.get('CPU', 0):g} and {there.get('GPU', 0):g} are there",
                where=address,
                hint="lower --cpus or --gpus",
            )
        self.workers = room if workers is None else min(room, workers)
        self._run = ray.remote(run_trial).options(
            num_cpus=cpus, num_gpus=gpus, max_retries=MAX_TRIES
        )
        self._images: dict[int, Any] = {}
        self._running: dict[Any, int] = {}

    def submit(self, task: Task) -> None:
        """Hand a trial to the cluster."""
        side = task.space.side(task.params)
        if side not in self._images:
            self._images[side] = self._ray.put(self._store.images(side))
        self._running[self._run.remote(task, self._images[side])] = task.number

    def next(self) -> tuple[int, Result]:
        """Wait for the next trial that ends."""
        ready, _ = self._ray.wait(list(self._running), num_returns=1)
        number = self._running.pop(ready[0])
        try:
            return number, self._ray.get(ready[0])
        except self._ray.exceptions.RayTaskError:
            raise
        except self._ray.exceptions.RayError as error:  # its machine was lost time and again
            said = " ".join(str(error).split())[:200]
            return number, Result(Outcome("failed", why=said))

    def close(self) -> None:
        """Cancel what runs, and leave the cluster."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()
