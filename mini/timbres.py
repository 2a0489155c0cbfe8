"""The voices of the training data: base voices of Kokoro, and mixtures of them with higher or lower pitch."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

ENGLISH = (
    "af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nova", "af_river",
    "af_sarah", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael",
    "am_puck", "bf_alice", "bf_isabella", "bf_lily", "bm_daniel", "bm_fable", "bm_george", "bm_lewis",
)  # fmt: skip
MANDARIN = ("zf_xiaobei", "zf_xiaoxiao", "zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunxia")
HELD_OUT = ("af_nicole", "am_onyx", "bf_emma", "zf_xiaoni", "zm_yunyang")  # never a part of a trained voice
MEN = tuple(voice for voice in (*ENGLISH, *MANDARIN) if voice[1] == "m")
PROSODY = {"en": ENGLISH, "zh": MANDARIN}


@dataclass(frozen=True)
class Timbre:
    """A voice made of base voices.

    `shares` holds pairs (base voice, share), and the shares sum to 1. `pitch` is a factor on their natural
    pitch.
    """

    shares: tuple[tuple[str, float], ...]
    pitch: float

    @property
    def name(self) -> str:
        mixed = "+".join(f"{share:.2f}*{voice}" for voice, share in self.shares)
        return f"{mixed}@{self.pitch:.2f}"


def trained_timbres(count: int, *, seed: int = 27) -> list[Timbre]:
    """Returns `count` timbres: all base voices unchanged, then random mixtures.

    A longer list begins with the timbres of a shorter list.
    """
    rng = random.Random(seed)
    voices = [*ENGLISH, *MANDARIN]
    result = [Timbre(((voice, 1.0),), 1.0) for voice in voices]
    while len(result) < count:
        result.append(_mixture(rng, voices, 0.85, 1.2))
    return result[:count]


def low_timbres(count: int, *, seed: int = 28) -> list[Timbre]:
    """Returns `count` mixtures of men with a pitch of some 65 to 120 Hz, as few base voices have."""
    rng = random.Random(seed)
    return [_mixture(rng, MEN, 0.6, 0.88) for _ in range(count)]


def _mixture(rng: random.Random, voices: Sequence[str], lowest: float, highest: float) -> Timbre:
    parts = rng.sample(voices, rng.choice((2, 2, 3)))
    weights = [rng.uniform(0.3, 1.0) for _ in parts]
    shares = tuple((p, round(w / sum(weights), 2)) for p, w in zip(parts, weights, strict=True))
    return Timbre(shares, round(rng.uniform(lowest, highest), 2))
