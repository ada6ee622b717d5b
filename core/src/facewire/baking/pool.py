"""Workers: processes of this machine, each with one thread a library. Ray offers the same."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from facewire.baking.work import Job, Outcome, bake_line

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Runner(Protocol):
    """Bakes jobs somewhere."""

    def results(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with what came of it, in the order they end."""

    def stop(self) -> None:
        """Begin no other job; those in hand are finished."""

    def quit(self) -> None:
        """Stop at once."""


class Local:
    """Processes of this machine. A worker that dies fails the line it had, and is replaced."""

    def __init__(self, workers: int = 1, work: Callable[[Job], Outcome] = bake_line) -> None:
        self._workers, self._work = max(1, workers), work
        self._stopped = threading.Event()
        self._alive: set[BaseProcess] = set()

    def results(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with its outcome, as they end."""
        todo: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            todo.put(job)
        done: queue.SimpleQueue[tuple[Job, Outcome] | BaseException | None] = queue.SimpleQueue()
        keepers = [
            threading.Thread(target=self._keep, args=(todo, done), daemon=True)
            for _ in range(min(self._workers, len(jobs)))
        ]
        for keeper in keepers:
            keeper.start()
        left = len(keepers)
        try:
            while left:
                try:
                    item = done.get(timeout=0.1)  # in pieces, so that a signal is seen
                except queue.Empty:
                    continue
                if item is None:
                    left -= 1
                elif isinstance(item, BaseException):
                    raise item
                else:
                    yield item
        finally:
            self._stopped.set()
            if left:
                self.quit()

    def stop(self) -> None:
        """Begin no other job; those in hand are finished."""
        self._stopped.set()

    def quit(self) -> None:
        """Kill the workers."""
        self._stopped.set()
        for process in list(self._alive):
            process.kill()

    def _keep(self, todo: queue.SimpleQueue[Job], done: queue.SimpleQueue[Any]) -> None:
        """Feed one worker, and give it a successor when it dies."""
        worker: _Worker | None = None
        try:
            while not self._stopped.is_set():
                try:
                    job = todo.get_nowait()
                except queue.Empty:
                    break
                worker = worker or _Worker(self._work, self._alive)
                outcome = worker.run(job)
                if outcome is None:
                    outcome = Outcome(job.name, worker.obituary())
                    worker = None
                done.put((job, outcome))
        except BaseException as error:
            done.put(error)
        finally:
            if worker:
                worker.close()
            done.put(None)


class _Worker:
    """A process that bakes one job after another."""

    def __init__(self, work: Callable[[Job], Outcome], alive: set[BaseProcess]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        with _OneThread():
            self._process.start()
        theirs.close()
        self._alive = alive
        alive.add(self._process)

    def run(self, job: Job) -> Outcome | None:
        """Return what came of a job; None if the process died."""
        try:
            self._pipe.send(job)
            outcome: Outcome = self._pipe.recv()
        except (EOFError, OSError):
            return None
        return outcome

    def obituary(self) -> str:
        """Say in one line how the process ended."""
        self.close()
        code = self._process.exitcode
        how = f"was killed by signal {-code}" if code is not None and code < 0 else "ended"
        hint = "; is there enough memory for so many workers?" if code == -signal.SIGKILL else ""
        return f"the worker that had this line {how}{hint}"

    def close(self) -> None:
        """Let the process end."""
        self._pipe.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(5)
        self._alive.discard(self._process)


_starting = threading.Lock()


class _OneThread:
    """Set the environment that a worker starts with: libraries read it when they are imported."""

    def __enter__(self) -> None:
        _starting.acquire()
        self._before = {name: os.environ.get(name) for name in THREADS}
        os.environ.update(dict.fromkeys(THREADS, "1"))

    def __exit__(self, *error: object) -> None:
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        _starting.release()


def _serve(pipe: Connection, work: Callable[[Job], Outcome]) -> None:
    """Bake what comes until the pipe is closed. Ctrl-C is for the parent to act on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(work(job))
