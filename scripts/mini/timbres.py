"""The voices that are trained on: base voices of the teacher, and mixtures of them, higher or lower."""

import random
from dataclasses import dataclass

ENGLISH = (
    "af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nova", "af_river",
    "af_sarah", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael",
    "am_puck", "bf_alice", "bf_isabella", "bf_lily", "bm_daniel", "bm_fable", "bm_george", "bm_lewis",
)  # fmt: skip
MANDARIN = ("zf_xiaobei", "zf_xiaoxiao", "zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunxia")
HELD_OUT = ("af_nicole", "am_onyx", "bf_emma", "zf_xiaoni", "zm_yunyang")  # never a part of a trained voice
PROSODY = {"en": ENGLISH, "zh": MANDARIN}


@dataclass(frozen=True)
class Timbre:
    """`shares` of base voices, which sum to 1, and a factor on the pitch that they have by themselves."""

    shares: tuple[tuple[str, float], ...]
    pitch: float

    @property
    def name(self) -> str:
        mixed = "+".join(f"{share:.2f}*{voice}" for voice, share in self.shares)
        return f"{mixed}@{self.pitch:.2f}"


def trained_timbres(count: int, *, seed: int = 27) -> list[Timbre]:
    """All base voices as they are, then mixtures; the first of a longer list are those of a shorter one."""
    rng = random.Random(seed)
    voices = [*ENGLISH, *MANDARIN]
    result = [Timbre(((voice, 1.0),), 1.0) for voice in voices]
    while len(result) < count:
        parts = rng.sample(voices, rng.choice((2, 2, 3)))
        weights = [rng.uniform(0.3, 1.0) for _ in parts]
        shares = tuple((p, round(w / sum(weights), 2)) for p, w in zip(parts, weights, strict=True))
        result.append(Timbre(shares, round(rng.uniform(0.85, 1.2), 2)))
    return result[:count]
