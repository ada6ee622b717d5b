"""The network's own face of an emotion on its speech: smoothed, gated, and the lips protected.

For profiles without the layer ``v3``. Bounds are those of the specification of the expression
system, section 7, measured on the lips.
"""

from __future__ import annotations

import math

import numpy as np
from facewire.articulation.lips import lip_gap, lip_to_teeth, weights
from facewire.rig import Rig
from facewire.types import FloatArray

from facewire_trajectory.runtime import Heard
from facewire_trajectory.sizes import PHONES, SOUND

FPS = 60.0
SETTLE, ATTACK, RELEASE = 0.08, 0.07, 0.18
"""Time constants in seconds: of the face (twice), and of the gate as it closes and opens."""
DOUBT, SURE = 0.2, 0.6
"""Probability of a voice from which on somebody may be speaking, and somebody is."""
KEPT, SMILES = 0.6, 0.75
"""What is left beside speech of the channels that speech and emotion share, and of smiles."""
ROOM, SHARE = 0.05, 0.22
"""How far an emotion may open or close speaking lips: a gap of the first, or that share of it."""
MET, APART = 0.03, 0.08
"""Gaps up to which nothing may be added, and from which on all of the above may."""
TEETH, BITE = 0.03, 0.012
"""How far it may take the lower lip from the teeth while there is speech, and at f and v."""
FAINT = 0.004
"""Less of a channel is nothing: a neutral face leaves speech as it is."""
LIPSYNC = (
    "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker",
    "mouthLeft", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
    "mouthShrugUpper", "tongueOut",
)  # fmt: skip
SHARED = ("mouthFrown", "mouthDimple", "mouthStretch", "mouthPress", "mouthLowerDown",
          "mouthUpperUp", "noseSneer", "mouthSmile")  # fmt: skip


def _keep(seconds: float) -> float:
    return math.exp(-1.0 / (seconds * FPS))


def _shares(rig: Rig) -> FloatArray:
    """Return what of each of the 52 channels is left beside speech (52,)."""
    kept = np.ones(len(rig), np.float32)
    for i, channel in enumerate(rig.channels):
        if channel in LIPSYNC:
            kept[i] = 0.0
        elif channel.startswith(SHARED):
            kept[i] = SMILES if channel.startswith("mouthSmile") else KEPT
    return kept


class Wearer:
    """Puts the network's faces on frames of a rig that begins with ARKit's 52 channels."""

    def __init__(self, rig: Rig) -> None:
        self._arkit = Rig.named("arkit52")
        assert rig.channels[: len(self._arkit)] == self._arkit.channels
        self._kept = _shares(self._arkit)
        self._jaw, self._close = (self._arkit.index(c) for c in ("jawOpen", "mouthClose"))
        self._opens = np.maximum(weights("gap", self._arkit), 0.0)
        self._shuts = np.minimum(weights("gap", self._arkit), 0.0)
        self._bares = np.maximum(weights("teeth", self._arkit), 0.0)
        self.reset()

    def reset(self) -> None:
        """Forget all input."""
        self._smooth: list[FloatArray] | None = None
        self._speech = 0.0

    def wear(self, values: FloatArray, heard: Heard) -> FloatArray:
        """Return frames (n, channels) with the faces that the network found on them."""
        size = len(self._arkit)
        face = self._settled(np.clip(heard.face, 0.0, 1.0))
        heard_voice = 1.0 - heard.sound[:, SOUND.index("other")]
        wanted = np.clip((heard_voice - DOUBT) / (SURE - DOUBT), 0.0, 1.0)
        speech = self._gate(wanted)[:, None]  # (n, 1)
        face *= 1.0 - speech * (1.0 - self._kept)
        face[:, self._jaw] = 0.0
        face[face < FAINT] = 0.0
        biting = heard.phones[:, PHONES.index("labiodental")]
        added = self._protected(values[:, :size], face, speech[:, 0], biting)
        out = values.copy()
        out[:, :size] = np.minimum(out[:, :size] + added, 1.0)
        return out

    def _settled(self, faces: FloatArray) -> FloatArray:
        """Return faces (n, 52) smoothed by two low-passes, which follow without a jump."""
        keep, out = np.float32(_keep(SETTLE)), np.empty_like(faces)
        if self._smooth is None and len(faces):
            self._smooth = [faces[0], faces[0]]
        for i, row in enumerate(faces):
            assert self._smooth is not None
            first = keep * self._smooth[0] + (1 - keep) * row
            self._smooth = [first, keep * self._smooth[1] + (1 - keep) * first]
            out[i] = self._smooth[1]
        return out

    def _gate(self, activity: FloatArray) -> FloatArray:
        """Return how much speech there is (n,), 0 to 1, of its probability (n,)."""
        rise, fall, out = _keep(ATTACK), _keep(RELEASE), np.empty_like(activity)
        for i, wanted in enumerate(activity.tolist()):
            keep = rise if wanted > self._speech else fall
            self._speech = keep * self._speech + (1.0 - keep) * wanted
            out[i] = self._speech
        return out

    def _protected(
        self, model: FloatArray, face: FloatArray, speech: FloatArray, biting: FloatArray
    ) -> FloatArray:
        """Return what of the face (n, 52) may be added to the model's rows (n, 52)."""
        face = np.minimum(face, 1.0 - model)
        gap, teeth = lip_gap(model, self._arkit), lip_to_teeth(model, self._arkit)
        moving = np.minimum(1.0, 3.0 * speech)  # protected well before the gate is closed
        bound = np.maximum(ROOM, SHARE * np.maximum(gap, 0.0))
        bound = bound * np.clip((gap - MET) / (APART - MET), 0.0, 1.0)
        opened, shut = face @ self._opens, -(face @ self._shuts)
        parting = opened / np.maximum(opened, 1e-6) * np.maximum(opened - shut - bound, 0.0)
        closing = np.maximum(shut - opened - np.maximum(ROOM, SHARE * gap), 0.0)
        room = np.minimum(1.0 - model[:, self._close] - face[:, self._close], 0.25)
        help_ = np.minimum(parting, np.maximum(room, 0.0)) * moving
        less = _scale(opened, np.maximum(parting - help_, 0.0), moving)
        bare = face @ self._bares
        limit = TEETH + (BITE - TEETH) * biting + np.maximum(teeth, 0.0) * 0.25
        bitten = _scale(bare, np.maximum(bare - limit, 0.0), moving)
        factor = np.where(self._bares > 0, bitten[:, None], 1.0)
        factor *= np.where(self._opens > 0, less[:, None], 1.0)
        factor *= np.where(self._shuts < 0, _scale(shut, closing, moving)[:, None], 1.0)
        out: FloatArray = (face * factor).astype(np.float32)
        out[:, self._close] += help_
        return out


def _scale(whole: FloatArray, excess: FloatArray, share: FloatArray) -> FloatArray:
    """Return the factor (n,) that takes ``excess`` off ``whole``, as far as ``share`` says."""
    found = 1.0 - share * excess / np.maximum(whole, 1e-6)
    return np.asarray(np.clip(found, 0.0, 1.0), np.float32)
