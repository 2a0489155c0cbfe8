"""The engine's limits. Knows no environment: the settings fill it in."""

from __future__ import annotations

from dataclasses import dataclass, fields

from glm_tts_api.engine.llm_prompt import HISTORY_SPEECH_TOKENS, MAX_TOKENS_PER_ID
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND

_PROMPT_TEXT_IDS = 256  # a transcript of 30 s of fast speech, with its share of text history
_SLOT_MULTIPLE = 64  # rows of the cache start aligned
_PREFILL_CHUNK = {"cpu": 64, "cuda": 1024}  # takes about as long as a few decode steps of a full batch


@dataclass(frozen=True, slots=True)
class PrefillPace:
    """How fast prompts are read while rows decode.

    One step of `every` reads, `n_ids` prompt ids at most. It reads whole chunks, one at least: where a prompt
    is cut decides its bits, so the cuts of a prompt do not depend on its neighbours.
    """

    every: int
    n_ids: int


# A chunk takes a CPU as long as some decode steps. A GPU reads many prompts in the time of a few steps.
_PREFILL_PACE = {"cpu": PrefillPace(every=3, n_ids=1), "cuda": PrefillPace(every=1, n_ids=1024)}


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The engine's settings.

    n_slots: decode rows, one per admitted request; fewer_slots: take fewer where the memory does not hold so
    many; max_prompt_seconds: longest voice prompt; max_segment_ids: text ids of a segment that may use its
    full length bound (longer ones are bounded by the room left); prefill_chunk: prompt ids read at once
    (None: the device's default); flow_steps: Euler steps; flow_bf16: the flow's products in bfloat16;
    deterministic: decode steps of one shape at any load.

    stream_buffer_s: seconds of audio that may wait for their listener before no more is made; stall_s:
    seconds that a step may take before nothing new is begun; stream_chunks: speech tokens (25 a second) of a
    stream's pieces, the last size repeats; gapless_start: a stream's first audio waits until its player will
    not run dry; guard: segments whose tokens cannot be right are decoded again; threads: CPU cores to use;
    text_threads: for text and voice prompts; cached_voices: prompt features kept.
    """

    n_slots: int = 20
    fewer_slots: bool = False
    max_prompt_seconds: float = 30.0
    max_segment_ids: int = 100
    prefill_chunk: int | None = None
    flow_steps: int = 10
    flow_bf16: bool = False
    deterministic: bool = False
    stream_buffer_s: float = 30.0
    stall_s: float = 30.0
    stream_chunks: tuple[int, ...] = (25, 100, 300)
    gapless_start: bool = True
    guard: bool = True
    threads: int = 1
    text_threads: int = 2
    cached_voices: int = 64

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            for number in value if isinstance(value, tuple) else (value,):
                if number is not None and number is not False and number <= 0:
                    raise ValueError(f"{item.name} must be positive, got {value}")

    def slot_length(self, max_positions: int) -> int:
        """Positions of a decode slot: history, prompt and the longest segment's draws."""
        wanted = HISTORY_SPEECH_TOKENS + self.longest_prompt + _PROMPT_TEXT_IDS + self.longest_segment
        return min(-(-wanted // _SLOT_MULTIPLE) * _SLOT_MULTIPLE, max_positions)

    @property
    def longest_prompt(self) -> int:
        """Speech tokens of the longest voice prompt."""
        return int(TOKENS_A_SECOND * self.max_prompt_seconds)

    @property
    def longest_segment(self) -> int:
        """Speech tokens that a segment may draw."""
        return MAX_TOKENS_PER_ID * self.max_segment_ids

    def chunk_of_a_prompt(self, device_type: str) -> int:
        """Prompt ids read at once."""
        return self.prefill_chunk or _PREFILL_CHUNK[device_type]

    def pace_of_prefill(self, device_type: str) -> PrefillPace:
        """How fast prompts are read while rows decode."""
        return _PREFILL_PACE[device_type]

    @property
    def decode_threads(self) -> int:
        """CPU threads of a decode step."""
        return max(1, self.threads // 2)

    @property
    def render_threads(self) -> int:
        """CPU threads of a flow step or vocoder call, however many run at once: cut into other pieces, an
        operator may round otherwise, and a sound would depend on its neighbours.
        """
        return max(1, self.threads // 4)

    @property
    def n_renderers(self) -> int:
        """Renders that a CPU has under way at once."""
        return self.threads // self.render_threads

    @property
    def n_reserved(self) -> int:
        """Rows that borrowers leave free, so that a newcomer need not wait for a segment to end."""
        return max(1, self.n_slots // 8)
