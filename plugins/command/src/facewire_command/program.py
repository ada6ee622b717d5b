"""The voice ``command``: one process for each utterance."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from facewire.errors import PluginError, ProfileError
from facewire.stages import Voice
from facewire.types import Audio, Context, Utterance
from facewire.voicing import VoiceError

from facewire_command.plugin import CommandConfig
from facewire_command.sound import decode

# No argument and no line may hold a zero, and UTF-8 has no lone surrogates.
_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]+")
_SHOWN = 160


class Program(Voice):
    """Speaks with a program. PluginError if it is not there, ProfileError on unknown braces."""

    parallel = True

    def __init__(self, config: CommandConfig, context: Context) -> None:
        self.rate, self._timeout = config.rate, config.timeout
        self._program = _found(config.command[0], context.base)
        self._arguments = config.command[1:]
        self._in_arguments = any(_uses(argument, "text") for argument in self._arguments)
        self._to_file = any(_uses(argument, "wav") for argument in self._arguments)
        self.name = Path(config.command[0]).name

    def speak(self, utterance: Utterance) -> Iterator[Audio]:
        """Yield the sound that the program writes. VoiceError if it fails or writes none.

        Blank text yields nothing.
        """
        text = _HARMFUL.sub(" ", utterance.text).strip()
        if not text:
            return
        with tempfile.TemporaryDirectory(prefix="facewire-command-") as folder:
            wav = Path(folder) / "speech.wav"
            words = {"text": text, "wav": str(wav), "lang": utterance.lang}
            words["speaker"] = utterance.speaker or ""
            given = None if self._in_arguments else f"{text}\n".encode()
            written = self._run([_filled(a, words) for a in self._arguments], given)
            if self._to_file:
                written = wav.read_bytes() if wav.is_file() else b""
        if not written:
            where = "the file {wav}" if self._to_file else "standard output"
            raise VoiceError(f"command: {self.name} wrote no sound to {where}")
        yield from decode(written, f"command: what {self.name} wrote", self.rate)

    def _run(self, arguments: list[str], given: bytes | None) -> bytes:
        try:
            process = subprocess.Popen(
                [self._program, *arguments],
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # so that it ends with all that it started
            )
        except OSError as error:
            raise VoiceError(f"command: {self.name} cannot be run: {error.strerror}") from error
        try:
            out, said = process.communicate(given, self._timeout)
        except BaseException as error:
            _end(process)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise VoiceError(
                f"command: {self.name} was ended after {self._timeout:g} s; set a longer timeout"
            ) from None
        if process.returncode:
            raise VoiceError(f"command: {self.name} failed ({process.returncode}){_last(said)}")
        return out


def _found(program: str, base: Path) -> str:
    path = str(base / program) if re.search(r"[/\\]", program) else program
    found = shutil.which(path)
    if found is None:
        raise PluginError(f"command: no program '{program}' is found; install it, or give its path")
    return found


def _uses(argument: str, word: str) -> bool:
    """Whether ``{word}`` stands in an argument; ProfileError if it is no template."""
    probe = "\0"
    words = {name: probe if name == word else "" for name in ("text", "wav", "lang", "speaker")}
    return probe in _filled(argument, words)


def _filled(argument: str, words: Mapping[str, str]) -> str:
    def fill(found: re.Match[str]) -> str:
        whole, name = found[0], found[1]
        if whole in ("{{", "}}"):
            return whole[0]
        if name not in words:
            raise ProfileError(
                f"command: found '{whole}' in '{argument[:80]}', expected {{text}}, {{wav}}, "
                "{lang} or {speaker}, and {{ and }} for braces"
            )
        return words[name]

    return re.sub(r"\{\{|\}\}|\{([^{}]*)\}|[{}]", fill, argument)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _last(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return f": {' '.join(lines[-1].split())[:_SHOWN]}" if lines else ""
