"""The engine's limits. This module reads no environment variables: settings/ fills the limits in."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from glm_tts_api.engine.llm_prompt import HISTORY_SPEECH_TOKENS, MAX_TOKENS_PER_ID
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND

if TYPE_CHECKING:  # settings/ reads this module where PyTorch is not installed
    from glm_tts_api.model.flow import FlowConfig

_PROMPT_TEXT_IDS = 256  # for the transcript of 30 s of fast speech and the texts of earlier segments
_SLOT_MULTIPLE = 64  # positions; so the rows of the KV cache start aligned
_STREAM_CHUNKS = {"cpu": (25, 50, 120, 300), "cuda": (12, 50, 300)}  # a GPU makes the second one in time
_PREFILL_CHUNK = {"cpu": 64, "cuda": 1024}  # ids; takes about as long as a few decode steps of a full batch


@dataclass(frozen=True, slots=True)
class PrefillPace:
    """How much of the waiting prompts the LLM reads (prefill) while other rows decode.

    Each `every`-th decode step also reads prompts: as many whole chunks as fit into `n_ids` ids, and at least
    one chunk. A prompt is always cut into chunks at the same places. Other cuts would change the bits of the
    result, so other requests must not influence the cuts.
    """

    every: int
    n_ids: int


# A CPU reads one chunk in the time of several decode steps. A GPU reads many prompts in that time.
_PREFILL_PACE = {"cpu": PrefillPace(every=3, n_ids=1), "cuda": PrefillPace(every=1, n_ids=1024)}


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The engine's settings.

    `n_rows` is the number of decode rows; each admitted request has one. `fewer_rows` allows fewer rows
    where the memory does not hold `n_rows`. `max_prompt_seconds` is the length of the longest voice prompt.
    A segment of up to `max_segment_ids` text ids may use its full length limit; a longer one is limited by
    the room in its row. `prefill_chunk` is the number of prompt ids that are read at once; None takes the
    device's default. `flow_steps` is the number of Euler steps; None takes the checkpoint's. `flow_bf16`
    computes the flow's products in bfloat16. `deterministic` gives all decode steps on a CPU one shape.

    When `stream_buffer_s` seconds of audio wait for their client, no more audio is made for it. While a
    step takes longer than `stall_s` seconds, the engine gets no new requests. `stream_chunks` are the sizes
    of a stream's spans in speech tokens (25 a second); the last size repeats, and () means the device's.
    `gapless_start` holds a stream's first audio back until its player will not run dry. `guard` has a segment
    decoded again if its speech tokens cannot be right. `threads` is the number of CPU cores to use.
    `text_threads` threads prepare texts and voice prompts. The features of `cached_voices` voices are kept.
    """

    n_rows: int = 20
    fewer_rows: bool = False
    max_prompt_seconds: float = 30.0
    max_segment_ids: int = 100
    prefill_chunk: int | None = None
    flow_steps: int | None = None
    flow_bf16: bool = False
    deterministic: bool = False
    stream_buffer_s: float = 30.0
    stall_s: float = 30.0
    stream_chunks: tuple[int, ...] = ()
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
        """Returns the number of positions of a decode row, at most `max_positions`. A row holds the earlier
        speech, the voice prompt, the texts and the tokens of the longest segment."""
        wanted = HISTORY_SPEECH_TOKENS + self.longest_prompt + _PROMPT_TEXT_IDS + self.longest_segment
        return min(-(-wanted // _SLOT_MULTIPLE) * _SLOT_MULTIPLE, max_positions)

    @property
    def longest_prompt(self) -> int:
        """The number of speech tokens in the longest voice prompt."""
        return int(TOKENS_A_SECOND * self.max_prompt_seconds)

    @property
    def longest_segment(self) -> int:
        """The largest number of speech tokens that a segment of `max_segment_ids` text ids may get."""
        return MAX_TOKENS_PER_ID * self.max_segment_ids

    def steps_of(self, flow: FlowConfig) -> int:
        """Returns the number of Euler steps of the flow, whose config is `flow`."""
        return self.flow_steps or flow.steps

    def on(self, device_type: str) -> EngineConfig:
        """Returns the config for a device of this type ("cpu" or "cuda"), with its `stream_chunks`."""
        return replace(self, stream_chunks=self.stream_chunks or _STREAM_CHUNKS[device_type])

    def chunk_of_a_prompt(self, device_type: str) -> int:
        """Returns how many prompt ids the LLM reads at once on a device of this type ("cpu" or "cuda")."""
        return self.prefill_chunk or _PREFILL_CHUNK[device_type]

    def pace_of_prefill(self, device_type: str) -> PrefillPace:
        """Returns how much of the prompts a device of this type ("cpu" or "cuda") reads while rows decode."""
        return _PREFILL_PACE[device_type]

    @property
    def decode_threads(self) -> int:
        """The number of CPU threads that a decode step may always use: half of `threads`, but at least 1."""
        return max(1, self.threads // 2)

    @property
    def render_threads(self) -> int:
        """The number of CPU threads that a flow step or vocoder call may always use: a quarter of `threads`,
        but at least 1. The number does not depend on how many of these calls run at once. With another number
        an operator may round differently, and a request's audio would then depend on the other requests.
        """
        return max(1, self.threads // 4)

    @property
    def n_renderers(self) -> int:
        """The number of render threads on a CPU."""
        return self.threads // self.render_threads

    @property
    def n_reserved(self) -> int:
        """The number of decode rows that are kept free for new requests. Requests that already have a row do
        not get them, so a new request need not wait until a segment ends."""
        return max(1, self.n_rows // 8)
