"""Talk with a MetaHuman: what you type is answered by a language model, and a face says it.

Any server with an OpenAI-compatible ``/chat/completions`` will do, on this machine or elsewhere:

    pip install facewire facewire-espeak facewire-phonemes facewire-trajectory facewire-v3 \
        facewire-idle facewire-textmood facewire-livelink httpx
    LLM_URL=http://127.0.0.1:11434/v1 LLM_MODEL=llama3.2 python examples/agent.py

``LLM_KEY`` is sent as a bearer token if it is set. The answer is spoken clause by clause as it is
written. A new line interrupts it: the mouth closes in 0.1 s and the new answer begins.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Iterable, Iterator

import httpx
from facewire.clauses import Clause, ClauseStream
from facewire.errors import FacewireError
from facewire.profile import load_profile
from facewire.session import Session
from facewire.sources import TextSource
from facewire.types import Text

SYSTEM = (
    "You are speaking aloud, as a person with a face. Answer in a few short sentences, without "
    "markup or lists. Where your feeling changes, write it before the words in brackets, with a "
    "strength: [joy:60], [sadness:40], [anger:30], [fear:50], [surprise:70] or [neutral]."
)


class Agent(TextSource):
    """A source whose text is the answers to what it is asked."""

    live = True

    def __init__(self, url: str, model: str, key: str = "") -> None:
        self._url, self._model = f"{url.rstrip('/')}/chat/completions", model
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=httpx.Timeout(60.0, connect=10.0))
        self._messages = [{"role": "system", "content": SYSTEM}]
        self._clauses: queue.Queue[Clause | None] = queue.Queue()
        self._turn, self._lock = 0, threading.Lock()

    def ask(self, question: str) -> threading.Thread:
        """Begin an answer; one that is still being written is given up."""
        self.hush()
        answer = threading.Thread(target=self._answer, args=(question, self._turn), daemon=True)
        answer.start()
        return answer

    def hush(self) -> None:
        """Give up the answer that is being written."""
        self._turn += 1
        while not self._clauses.empty():
            self._clauses.get()

    def blocks(self) -> Iterator[Text]:
        """Yield the answers' clauses until it is closed."""
        while (clause := self._clauses.get()) is not None:
            yield clause

    def close(self) -> None:
        """End when what was written so far has been said."""
        self._clauses.put(None)

    def _answer(self, question: str, turn: int) -> None:
        with self._lock:  # the answer before this one notices first that it was given up
            self._messages.append({"role": "user", "content": question})
            stream, written = ClauseStream(), ""
            try:
                for piece in self._pieces():
                    if turn != self._turn:
                        break
                    written += piece
                    self._say(stream.push(piece))
                else:
                    self._say(stream.flush())
            except (httpx.HTTPError, ValueError) as error:
                print(f"agent: the answer broke off: {error}", file=sys.stderr)
            self._messages.append({"role": "assistant", "content": written})

    def _say(self, clauses: Iterable[str]) -> None:
        for clause in clauses:
            self._clauses.put(Clause(clause))

    def _pieces(self) -> Iterator[str]:
        """Yield the text of an answer as its server-sent events bring it."""
        body = {"model": self._model, "messages": self._messages, "stream": True}
        with self._client.stream("POST", self._url, json=body) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                data = line.removeprefix("data:").strip()
                if line.startswith("data:") and data != "[DONE]":
                    for choice in json.loads(data).get("choices", []):
                        yield choice.get("delta", {}).get("content") or ""


def talk(agent: Agent, session: Session, questions: Iterable[str]) -> None:
    """Ask the questions, each as it comes; close when the last one has been answered."""
    answer = None
    for question in filter(str.strip, questions):
        session.interrupt()
        answer = agent.ask(question.strip())
    if answer:
        answer.join()
    agent.close()


def main() -> None:
    """Run the profile named on the command line, or ``metahuman-live``."""
    sys.setswitchinterval(0.0005)  # frames go out on time beside busy threads
    url = os.environ.get("LLM_URL", "http://127.0.0.1:11434/v1")
    agent = Agent(url, os.environ.get("LLM_MODEL", "llama3.2"), os.environ.get("LLM_KEY", ""))
    profile = sys.argv[1] if len(sys.argv) > 1 else "metahuman-live"
    session = Session(load_profile(profile), agent, "agent", tell=print)
    threading.Thread(target=talk, args=(agent, session, sys.stdin), daemon=True).start()
    session.run()


if __name__ == "__main__":
    try:
        main()
    except FacewireError as error:
        sys.exit(f"agent: {error}")
