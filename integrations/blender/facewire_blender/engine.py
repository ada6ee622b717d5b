"""Ask Facewire for a take: of ``facewire serve`` on this machine, or of the program itself.

A job runs in a thread of its own, can be cancelled, and ends with a clip or one line.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from . import clip as clips
from .asking import SERVER
from .clip import Clip
from .errors import AddonError, cause
from .package import keep

LARGEST = 1 << 30  # bytes of an answer
PATIENCE = 600.0  # seconds that a server may be silent while it works
NAME = 40  # characters of a take that is named by its text


@dataclass(frozen=True)
class Wish:
    """What is said (``text``) or heard (``sound``, a file's path), and how it is animated."""

    text: str = ""
    sound: str = ""
    transcript: str = ""
    profile: str = "default"
    emotion: str = ""

    @property
    def name(self) -> str:
        """The take's name: the sound file's, or the first words."""
        if self.sound:
            return Path(self.sound).stem
        plain = re.sub(r"\[[^\]]*\]", " ", self.text)
        return " ".join(re.findall(r"[\w']+", plain))[:NAME].strip() or "speech"

    def check(self) -> None:
        """Raise AddonError where there is nothing to animate."""
        if bool(self.text.strip()) == bool(self.sound):
            raise AddonError("nothing to animate: write a text, or choose a sound file")
        if self.sound and not Path(self.sound).is_file():
            raise AddonError(f"{self.sound}: there is no such sound file")


class Job(threading.Thread, ABC):
    """Making a take. ``folder`` is where its sound goes. After the thread's end: ``result``."""

    def __init__(self, wish: Wish, folder: Path) -> None:
        super().__init__(daemon=True, name="facewire job")
        self.wish, self.folder = wish, folder
        self._stopped = threading.Event()
        self._clip: Clip | None = None
        self._error: AddonError | None = None

    def run(self) -> None:
        """Make it, in the thread."""
        try:
            self._clip = self.make()
        except AddonError as error:
            self._error = error
        except OSError as error:
            self._error = AddonError(f"{error.filename or 'facewire'}: {cause(error)}")
        except Exception as error:  # the thread's end is all that is seen of it
            self._error = AddonError(f"unexpected {type(error).__name__}: {error}")

    @abstractmethod
    def make(self) -> Clip:
        """Return the clip; AddonError if there is none."""

    @abstractmethod
    def cut(self) -> None:
        """End what ``make`` waits for, from another thread."""

    @property
    def cancelled(self) -> bool:
        """Whether somebody has cancelled it."""
        return self._stopped.is_set()

    def cancel(self) -> None:
        """End soon, without a result."""
        self._stopped.set()
        self.cut()

    def result(self) -> Clip:
        """Return the clip; AddonError where there is none."""
        if self.cancelled:
            raise AddonError("cancelled")
        if self._error is not None:
            raise self._error
        assert self._clip is not None
        return self._clip


# -- the server ----------------------------------------------------------------------------------


class ServerJob(Job):
    """Asks ``POST /v1/animate``."""

    def __init__(self, wish: Wish, folder: Path, server: str = SERVER, token: str = "") -> None:
        super().__init__(wish, folder)
        self._server, self._token = server.strip() or SERVER, token
        self._connection: http.client.HTTPConnection | None = None

    def make(self) -> Clip:
        """Ask, and read the answer."""
        where = urlsplit(self._server)
        if where.scheme not in ("http", "https") or not where.hostname:
            raise AddonError(f"server: found '{self._server}', expected one such as {SERVER}")
        kind = (
            http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(where.hostname, where.port, timeout=PATIENCE)
        try:
            answer = self._asked(self._connection)
        except (OSError, http.client.HTTPException) as error:
            told = str(getattr(error, "strerror", None) or error or type(error).__name__)
            why = " ".join(told.split()).lower()
            raise AddonError(
                f"no Facewire answers at {self._server} ({why}): start it with "
                "'facewire serve', or change the server's address"
            ) from None
        finally:
            self._connection.close()
        return self._read(answer)

    def _asked(self, connection: http.client.HTTPConnection) -> bytes:
        path, body, kind = self._request()
        headers = {"Content-Type": kind, "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection.request("POST", path, body, headers)
        if self.cancelled:
            raise AddonError("cancelled")
        with connection.getresponse() as answer:
            data = answer.read(LARGEST)
            if answer.length:
                raise AddonError(f"{self._server}: the answer broke off; try again")
        if answer.status == 200:
            return data
        try:
            line = str(json.loads(data)["error"])
        except (ValueError, KeyError, TypeError):
            line = f"answers {answer.status} {answer.reason}; expected a Facewire server"
        raise AddonError(f"{self._server}: {line}")

    def _request(self) -> tuple[str, bytes, str]:
        """Return path, body and content type: text as JSON, a sound file as it is."""
        wish = self.wish
        options: dict[str, Any] = {"profile": wish.profile.strip() or "default"}
        if wish.emotion.strip():
            options["emotion"] = wish.emotion.strip()
        if not wish.sound:
            told = {**options, "text": wish.text, "sound": True}
            return "/v1/animate", json.dumps(told).encode(), "application/json"
        if wish.transcript.strip():
            options["transcript"] = wish.transcript.strip()
        query = urlencode(options, quote_via=quote)
        return f"/v1/animate?{query}", Path(wish.sound).read_bytes(), "application/octet-stream"

    def _read(self, data: bytes) -> Clip:
        try:
            told = json.loads(data)
            fps = Fraction(told["fps"]).limit_denominator(1001)
            marks = clips.marks_of(told["marks"], "the answer")
            made = clips.made(self.wish.name, fps, told["rig"]["channels"], told["frames"], marks)
            sound = base64.b64decode(told["audio"]) if "audio" in told else b""
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise AddonError(
                f"what answers at {self._server} is no Facewire ({error}): change the address"
            ) from None
        if not len(made):
            raise AddonError("the clip that came back has no frames: is the sound empty?")
        return replace(made, sound=self._kept(sound) if sound else self.wish.sound)

    def _kept(self, sound: bytes) -> str:
        part = self.folder / f".{os.getpid()}.{threading.get_ident()}.wav"
        part.write_bytes(sound)
        return str(keep(part, self.folder, _stem(self.wish.name)))

    def cut(self) -> None:
        """Close the connection; the server gives the clip up then."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


def _stem(name: str) -> str:
    return re.sub(r"[^\w' -]", "_", name).strip() or "speech"


# -- the program ---------------------------------------------------------------------------------


class ProgramJob(Job):
    """Runs ``facewire run`` in a folder of its own."""

    def __init__(self, wish: Wish, folder: Path, program: str = "facewire") -> None:
        super().__init__(wish, folder)
        self._program = program.strip() or "facewire"
        self._running: subprocess.Popen[bytes] | None = None

    def make(self) -> Clip:
        """Run it, and read what it wrote."""
        found = shutil.which(os.path.expanduser(self._program))
        if found is None:
            raise AddonError(
                f"'{self._program}' is no program; install Facewire and give the path of its "
                "'facewire', or use a server"
            )
        with tempfile.TemporaryDirectory(prefix="facewire-") as work:
            self._run(found, Path(work))
            made = clips.read(Path(work) / "take.json")
            sound = self.wish.sound
            if not sound:
                part = self.folder / f".{os.getpid()}.{threading.get_ident()}.wav"
                shutil.copyfile(Path(work) / "take.wav", part)
                sound = str(keep(part, self.folder, _stem(self.wish.name)))
        return replace(made, name=self.wish.name, sound=sound, path="")

    def _run(self, program: str, work: Path) -> None:
        command = [program, "run", "--quiet", "--profile", str(self._profile(work))]
        if self.wish.emotion.strip():
            command += ["--emotion", self.wish.emotion.strip()]
        if self.wish.transcript.strip() and self.wish.sound:
            (work / "words.txt").write_text(self.wish.transcript, "utf-8")
            command += ["--transcript", str(work / "words.txt")]
        # after "--" nothing is an option, whatever a text begins with
        said = ["--audio", self.wish.sound] if self.wish.sound else ["--text", "--", self.wish.text]
        with open(work / "told.txt", "wb") as told:
            self._running = subprocess.Popen(
                [*command, *said], cwd=work, stdin=subprocess.DEVNULL, stdout=told, stderr=told,
                env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
            )  # fmt: skip
            if self.cancelled:
                self.cut()
            code = self._running.wait()
        if self.cancelled:
            raise AddonError("cancelled")
        if code:
            text = (work / "told.txt").read_text("utf-8", "replace")
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            raise AddonError(
                f"facewire: {lines[-1][:300] if lines else f'ended with status {code}'}"
            )

    def _profile(self, work: Path) -> Path:
        """Write a profile that is the chosen one with outputs of ours."""
        chosen = self.wish.profile.strip() or "default"
        path = Path(os.path.expanduser(chosen))
        extends = str(path.absolute()) if path.suffix in (".yaml", ".yml") else chosen
        told = {
            "extends": extends,
            "sinks": [
                {"use": "files.json", "path": str(work / "take.json")},
                {"use": "files.wav", "path": str(work / "take.wav")},
            ],
        }
        file = work / "profile.yaml"
        file.write_text(json.dumps(told), "utf-8")  # JSON is YAML
        return file

    def cut(self) -> None:
        """End the program; at once, if it does not listen."""
        running = self._running
        if running is None or running.poll() is not None:
            return
        with suppress(OSError):
            running.terminate()
        try:
            running.wait(0.5)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                running.kill()
