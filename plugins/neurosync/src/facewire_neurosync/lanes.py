"""Threads of the processor: PyTorch's own number of them, and lanes, which compute side by side."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier, Lock

import torch

_setting = Lock()  # PyTorch's number is the whole process's: one sets it at a time


def use_threads(count: int) -> None:
    """Let PyTorch compute on that many threads (0: as many as there are cores, 8 at most)."""
    with _setting:
        torch.set_num_threads(count or min(8, os.cpu_count() or 1))


def lanes(count: int) -> ThreadPoolExecutor:
    """Return that many threads, each of which computes by itself; all who ask share them."""
    with _setting:
        return _started(count)


@cache
def _started(count: int) -> ThreadPoolExecutor:
    before, ready = torch.get_num_threads(), Barrier(count + 1)

    def alone() -> None:
        torch.get_num_threads()  # a thread that has asked keeps the number that it sets next
        torch.set_num_threads(1)
        ready.wait()

    pool = ThreadPoolExecutor(count, "neurosync", alone)
    try:
        for _ in range(count):
            pool.submit(int)
        ready.wait()
    except BaseException:
        ready.abort()
        pool.shutdown(wait=False)
        raise
    finally:
        torch.set_num_threads(before)  # else threads to come would take the last number set: 1
    return pool
