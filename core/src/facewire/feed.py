"""A live source's items, read on a thread of their own: a session can go on without them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

ITEMS = 64  # that wait; a source that is faster is held up, it loses nothing


class Feed:
    """Reads an iterator on a thread. ``take`` returns its next item, None if there is none yet."""

    END: ClassVar[object] = object()

    def __init__(self, read: Callable[[], Iterator[Any]], most: int = ITEMS) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(most)
        self._closed = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(read,), name="feed", daemon=True)
        self._thread.start()

    def _run(self, read: Callable[[], Iterator[Any]]) -> None:
        try:
            for item in read():
                if not self._put(item):
                    return
        except BaseException as error:  # it is raised again where the items are taken
            self._error = error
        self._put(Feed.END)

    def _put(self, item: Any) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def take(self, wait: float) -> Any:
        """Return the next item, None after ``wait`` seconds without one, END at the end.

        What the iterator raised is raised here, in its turn.
        """
        if self._closed.is_set() and self._queue.empty():
            return Feed.END
        try:
            item = self._queue.get(timeout=wait)
        except queue.Empty:
            return None
        if item is Feed.END and self._error is not None:
            raise self._error
        return item

    def drop(self) -> None:
        """Forget the items that wait."""
        while True:
            try:
                if self._queue.get_nowait() is Feed.END:
                    self._queue.put(Feed.END)
                    return
            except queue.Empty:
                return

    def close(self) -> None:
        """Take no further items; those that wait can still be taken."""
        self._closed.set()

    def join(self, until: float) -> None:
        """Wait for the thread's end, to ``until`` (``time.monotonic()``) at most."""
        self._thread.join(max(0.0, until - time.monotonic()))
