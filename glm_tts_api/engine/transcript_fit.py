"""Measures whether a transcript fits its recording. For this the LLM computes how much more likely the
recording's speech tokens are after the transcript than after other texts (docs/voices.md has the figures).
Blocking."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from math import log

import torch

from glm_tts_api.contracts import SAMPLE_RATE, Check, Voice
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.kv_cache import KVCache
from speech_text import TextFrontend, has_hanzi

_MOST_OVER_CHANCE = 1.25
_UNIT = re.compile(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+")  # a Hanzi, or a word
_CHINESE = (
    "昨天晚上邻居家的小猫又跑到屋顶上去了",
    "这座桥修了三年，去年秋天才通车",
    "他把旧照片一张一张地放进纸箱里",
)
_ENGLISH = (
    "the shop on the corner sells apples and newspapers until late",
    "we have not heard from my uncle since he moved to the coast",
    "every morning a small boat carries milk across the lake",
)


class TranscriptFit:
    """Compares a voice's transcript with other texts: its own words in another order, and three texts of its
    language that are as long as the transcript."""

    def __init__(self, models: Models, frontend: TextFrontend, features: VoiceFeatures) -> None:
        self._models, self._frontend, self._features = models, frontend, features

    def gain(self, voice: Voice, check: Check = lambda: None) -> float | None:
        """Returns how much better the transcript explains the recording's speech tokens than other texts do.
        The gain compares the mean negative log-probability of the tokens: it is the share by which this
        number is lower after the transcript than, on average, after the other texts. The gain is about 0 for
        a wrong transcript, and at most 1 for a right one. Returns None if with every text the tokens are
        clearly less likely than chance: the LLM does not know such a voice. `check` is called between two
        texts. Raises PromptRejected and the errors of `check`."""
        speech = self._features.get(voice, SAMPLE_RATE).speech_tokens
        found = []
        for text in (voice.transcript, *other_texts(voice.transcript)):
            check()
            found.append(self.likelihood(text, speech))
        own, *others = found
        chance = log(self._models.speech_tokenizer.config.quantize_vocab_size)
        if max(found) < -_MOST_OVER_CHANCE * chance:
            return None
        return 1 - own * len(others) / sum(others)

    @torch.inference_mode()
    def likelihood(self, text: str, speech: Sequence[int]) -> float:
        """Returns the mean log-probability that the LLM gives to the speech tokens `speech` after `text`
        (docs/model.md 4)."""
        tokenizer, llm = self._models.text_tokenizer, self._models.llm
        ids = tokenizer.encode(self._frontend.normalize_prompt(text))
        prompt = [*ids, tokenizer.begin_of_audio, *(token + tokenizer.audio_start for token in speech)]
        cache = KVCache(llm.config, slots=1, slot_length=len(prompt), dtype=llm.dtype, device=llm.device)
        hidden = llm.prefill(prompt, cache=cache, slot=0)[len(ids) : -1]
        chances = torch.log_softmax(llm.logits(hidden).float(), -1)
        said = torch.tensor(speech, device=chances.device)[:, None]
        return float(chances.gather(1, said).mean())


def other_texts(text: str) -> Iterator[str]:
    """Yields wrong transcripts with as many words (or Hanzi) as `text`: first its own words in another order,
    then three fixed texts of its language."""
    between = "" if has_hanzi(text) else " "
    units = _UNIT.findall(text)
    yield between.join(random.Random(0).sample(units, len(units)))
    for other in _CHINESE if has_hanzi(text) else _ENGLISH:
        yield between.join(islice(cycle(_UNIT.findall(other)), len(units)))
