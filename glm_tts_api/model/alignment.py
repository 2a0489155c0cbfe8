"""Follows the text that the LLM speaks, by the attention of one of its heads (docs/model.md 4.1).

Some heads of such an LLM look at the text id that is being spoken. `find_head` finds the clearest of them
with two recordings whose words are known. While a segment is decoded, the KV cache keeps this head's queries;
afterwards `Spoken.of` follows the head's attention through the segment's text. Knows ids, no text.
"""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from glm_tts_api.contracts import Float32
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_config import Head
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.mel import resample
from glm_tts_api.model.speaker_encoder import SAMPLE_RATE
from glm_tts_api.model.speech_tokenizer import SpeechTokenizer
from glm_tts_api.model.threads import at_most
from glm_tts_api.model.tokenizer import TextTokenizer

_RECORDINGS = Path(__file__).resolve().parents[1] / "assets" / "mini" / "prompts"
_WORDS = {
    "woman-mandarin.wav": "您好，我是您的语音助手，有什么可以帮您？ ",
    "woman-english.wav": "Hello, I can read your messages, your news and your books to you. ",
}
# The fit (see Spoken) that a head needs to be followed. In the bundled model two heads have 0.92 and 0.93,
# all others less than 0.4.
_LEAST_FIT = 0.7
_FLOOR = 0.02  # added to each attention: a row may attend to no id near the path
_JUMP = 8.0  # the cost of any move but to the same id and to the next one: a few rows elsewhere are no move


@dataclass(frozen=True, slots=True)
class Spoken:
    """How a text was spoken. `path` has the index of the id that each row of the attention speaks. For each
    id, `attention` is the sum of the attention that the id got while the path was at most one id away, which
    is roughly the number of speech tokens that say the id. `fit` is the mean attention on the path. `lead` is
    the head's."""

    path: Sequence[int]
    attention: Sequence[float]
    fit: float
    lead: float = 0.0

    @classmethod
    def of(cls, cache: KVCache, slot: int, rows: range, ids: range) -> Spoken:
        """Follows the attention of the cache's followed head on the text at the positions `ids` of `slot`.
        `rows` are the positions that attend; the cache's `queries` must have them. On a CPU one thread
        computes the attention: the product rounds differently on other numbers."""
        assert cache.followed is not None
        layer, head, lead = cache.followed
        keys = cache.keys[layer, slot, head // cache.group_size, ids.start : ids.stop].float()
        with at_most(1):
            scores = cache.queries[slot, rows.start : rows.stop].float() @ keys.T / keys.shape[-1] ** 0.5
            attention = torch.softmax(scores, -1).cpu().numpy()
        path = _likeliest(np.log(attention + _FLOOR))
        is_near = np.abs(np.arange(attention.shape[1]) - path[:, None]) <= 1
        fit = attention[np.arange(len(path)), path].mean()
        return cls(path.tolist(), (attention * is_near).sum(0).tolist(), float(fit), lead)

    def begins(self, ids: Sequence[int]) -> list[float]:
        """Returns after how many speech tokens each of `ids` begins to be heard. An id begins half a token
        before its first row on average; one that is not heard begins with the next."""
        first = np.searchsorted(np.maximum.accumulate(self.path), ids)
        begins: list[float] = np.clip(first + self.lead - 0.5, 0, len(self.path)).tolist()
        return begins

    def first(self, n_ids: int, n_tokens: int) -> Spoken:
        """Returns how the first `n_ids` ids were spoken by the first `n_tokens` speech tokens."""
        path = [min(at, n_ids - 1) for at in self.path[:n_tokens]]
        return replace(self, path=path, attention=self.attention[:n_ids])

    def then(self, rest: Spoken) -> Spoken:
        """Returns how two texts were spoken, this one and then another one."""
        path = [*self.path, *(len(self.attention) + at for at in rest.path)]
        return replace(self, path=path, attention=[*self.attention, *rest.attention])


def _likeliest(scores: Float32) -> npt.NDArray[np.int64]:
    """Returns the path with the highest sum of `scores` [rows, ids], less the cost of its moves (Viterbi)."""
    n_rows, n_ids = scores.shape
    best = np.full((n_rows, n_ids + 1), -np.inf)  # the first column is no id
    best[0, 1:] = scores[0] - _JUMP * (np.arange(n_ids) > 0)
    for last, now, score in zip(best, best[1:, 1:], scores[1:], strict=False):
        np.maximum(last[1:], last[:-1], out=now)  # to the same id, to the next one
        np.maximum(now, last.max() - _JUMP, out=now)  # to any
        now += score
    tops = best.argmax(1).tolist()
    path = [at := tops[-1]]
    for last, top in zip(best[-2::-1].tolist(), tops[-2::-1], strict=True):
        near = at if last[at] >= last[at - 1] else at - 1
        path.append(at := top if last[top] - _JUMP > last[near] else near)
    return np.array(path[::-1]) - 1


@torch.inference_mode()
def find_head(
    llm: LlmRunner, tokenizer: TextTokenizer, speech_tokenizer: SpeechTokenizer
) -> tuple[Head | None, float]:
    """Returns the head that follows the words of two recordings most clearly, and its fit. The head is None
    if no head is clear."""
    config = llm.config
    fits, begins = np.zeros((2, config.num_hidden_layers, config.num_attention_heads))
    for name, words in _WORDS.items():
        (texts, _), speech = tokenizer.encode(words), _speech_tokens(name, speech_tokenizer)
        ids = [*texts, tokenizer.begin_of_audio, *(token + tokenizer.audio_start for token in speech)]
        if len(ids) > config.max_position_embeddings:
            return None, 0.0
        cache = KVCache(
            config, slots=1, slot_length=len(ids), dtype=llm.dtype, device=llm.device, followed=Head(0, 0)
        )
        queries = cache.of_prefill = []
        llm.prefill(ids, cache=cache, slot=0)
        keys = cache.keys[:, 0, :, : len(texts)].repeat_interleave(config.group_size, 1).float()
        scores = torch.stack(queries)[:, :, len(texts) :].float() @ keys.mT / config.head_dim**0.5
        # A head's fit is at most the mean of its highest attentions: most heads need not be followed.
        most = torch.softmax(scores, -1).amax(-1).mean(-1).cpu().numpy()
        for layer, head in np.argwhere(most >= 2 * _LEAST_FIT - 1).tolist():
            cache.followed, cache.queries[0] = Head(layer, head), queries[layer][head]
            spoken = Spoken.of(cache, 0, range(len(texts), len(ids)), range(len(texts)))
            fits[layer, head] += spoken.fit / len(_WORDS)
            begins[layer, head] += np.mean(spoken.begins(range(len(texts)))) / len(_WORDS)
    layer, head = divmod(int(fits.argmax()), config.num_attention_heads)
    fit = float(fits[layer, head])
    if fit < _LEAST_FIT:
        return None, fit
    lead = float(begins[fits >= _LEAST_FIT].max() - begins[layer, head])
    return Head(layer, head, lead), fit


def _speech_tokens(name: str, speech_tokenizer: SpeechTokenizer) -> list[int]:
    with wave.open(str(_RECORDINGS / name)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
        heard = resample(torch.from_numpy(samples), file.getframerate(), SAMPLE_RATE)
    tokens: list[int] = speech_tokenizer.tokens(speech_tokenizer.prompt_features(heard)).tolist()
    return tokens
