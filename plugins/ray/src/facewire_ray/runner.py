"""Lines baked as Ray tasks, one processor each: what ``facewire bake --ray ADDRESS`` runs on.

A task calls the same function on the same job as a process of this machine does. Its folders, the
script's sounds and the profile's files must be reachable under the same paths from every node.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody

import ray
from facewire.baking.pool import THREADS
from facewire.baking.work import Job, Outcome, bake_line
from facewire.errors import FacewireError

LOCAL = "local"
CLIENT = "ray"  # what an address for Ray's client begins with
KNOCK = 5.0  # seconds; Ray itself tries for minutes where nothing listens
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_WAIT = 0.1  # seconds between looks at whether to stop


class Cluster:
    """A Ray cluster by its ``address`` (``host:port``, ``ray://…``, ``auto``), or ``local``.

    ``workers``: how many lines are in hand at most; by default as many as it has processors.
    FacewireError in one line if it cannot be reached.
    """

    def __init__(
        self,
        address: str,
        workers: int | None = None,
        work: Callable[[Job], Outcome] = bake_line,
    ) -> None:
        self._address, self._workers, self._work = address, workers, work
        self._stopped = threading.Event()
        self._hand: dict[Any, Job] = {}

    def results(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with its outcome, as they end."""
        if not jobs:
            return
        self._connect()
        try:
            yield from self._results(list(reversed(jobs)))
        finally:
            self.quit()
            ray.shutdown()

    def stop(self) -> None:
        """Begin no other job; those in hand are finished."""
        self._stopped.set()

    def quit(self) -> None:
        """Kill the tasks that are in hand."""
        self._stopped.set()
        for task in list(self._hand):
            ray.cancel(task, force=True)

    def _connect(self) -> None:
        here = self._address == LOCAL
        knock(self._address)
        # libraries read these when a worker imports them
        alone: dict[str, str] = dict.fromkeys(THREADS, "1") | {"OMP_WAIT_POLICY": "PASSIVE"}
        options: dict[str, Any] = {"runtime_env": {"env_vars": alone}, "log_to_driver": False}
        if here:
            options |= {"num_cpus": self._workers or os.cpu_count() or 1}
            options |= {"include_dashboard": False}
        try:
            ray.init(address=self._address, logging_level=logging.ERROR, **options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise _nobody(self._address, error) from error

    def _results(self, todo: list[Job]) -> Iterator[tuple[Job, Outcome]]:
        task = ray.remote(num_cpus=1, max_retries=0)(self._work)
        while self._hand or (todo and not self._stopped.is_set()):
            while todo and not self._stopped.is_set() and len(self._hand) < self._room():
                job = todo.pop()
                self._hand[task.remote(rooted(job))] = job
            done, _ = ray.wait(list(self._hand), timeout=_WAIT)
            for one in done:
                job = self._hand.pop(one)
                yield job, self._outcome(job, one)

    def _room(self) -> int:
        """Return how many lines may be in hand; a cluster may grow meanwhile."""
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        return self._workers or max(1, int(resources.get("CPU", 1)))

    def _outcome(self, job: Job, task: Any) -> Outcome:
        try:
            outcome: Outcome = ray.get(task)
        except ray.exceptions.RayError as error:
            cause = " ".join(_COLOUR.sub("", str(error)).split())[:200]
            return Outcome(job.name, f"the worker that had this line ended: {cause}")
        return outcome


def knock(address: str) -> None:
    """Raise FacewireError in one line where nothing listens at ``host:port`` or ``ray://…``.

    Other addresses (``auto``, ``local``) are left to Ray.
    """
    scheme, _, place = address.rpartition("://")
    if address in (LOCAL, "auto") or scheme not in ("", CLIENT):
        return
    try:
        found = urlsplit(f"//{place}")
        host, port = found.hostname, found.port
    except ValueError:  # a port that is none, brackets that do not close
        host, port = None, None
    if not host or not port:
        raise FacewireError(
            f"--ray {address}: expected host:port on a node of the cluster, "
            "ray://host:10001 from elsewhere, 'auto' or 'local'"
        )
    try:
        socket.create_connection((host, port), KNOCK).close()
    except (OSError, UnicodeError) as error:  # UnicodeError: no host name could be written so
        raise _nobody(address, error) from error


def _nobody(address: str, error: Exception) -> FacewireError:
    cause = " ".join(str(error).split())[:200]
    return FacewireError(
        f"--ray {address}: no Ray cluster answers there ({cause}); "
        "start one with 'ray start --head', or use --ray local"
    )


def rooted(job: Job) -> Job:
    """Return a job whose paths do not depend on the folder that a process runs in."""
    file = job.profile.endswith((".yaml", ".yml"))
    profile = str(Path(job.profile).absolute()) if file else job.profile
    return replace(job, out=job.out.absolute(), folder=job.folder.absolute(), profile=profile)
