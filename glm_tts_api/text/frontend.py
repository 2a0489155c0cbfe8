"""The one door of the text room: from what a client wrote to what the LLM's tokenizer encodes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from glm_tts_api import errors
from glm_tts_api.text.default import DefaultRules
from glm_tts_api.text.dictionaries import DictionaryFiles
from glm_tts_api.text.phonemes import Phonemizer
from glm_tts_api.text.published import PublishedRules
from glm_tts_api.text.split import split
from glm_tts_api.text.wetext import chinese_verbaliser, english_verbaliser

RuleSet = Literal["default", "published"]


class TextFrontend:
    """Normalises, cuts and (in phoneme mode) phonemises. Safe to call from several threads."""

    def __init__(
        self, config_dir: Path, *, cache_dir: Path, rules: RuleSet = "default", shipped: Path | None = None
    ) -> None:
        """`config_dir` holds the user's dictionaries, `shipped` those that stand in for what it lacks,
        `cache_dir` what can be built again."""
        self._files = DictionaryFiles(config_dir, shipped)
        self._cut_words = rules == "default"
        rule_set = PublishedRules if rules == "published" else DefaultRules
        self._rules = rule_set(chinese_verbaliser(cache_dir), english_verbaliser())
        self.split("ready")  # the pronouncing dictionary loads now, not with the first request
        self._phonemize = Phonemizer(cache_dir, published=rules == "published")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was wrong with the user's dictionaries when they were last read."""
        return self._files.current().warnings

    def prepare(self, text: str, *, use_phoneme: bool = False) -> list[str]:
        """`text` in segments, as the LLM's tokenizer takes them. Raises NothingToSay."""
        if not _is_speakable(text):
            raise errors.NothingToSay("The text has nothing to say: no letter, no digit and no Hanzi.")
        segments = [self.normalize(segment) for segment in self.split(self.normalize(text))]
        segments = [segment for segment in segments if _is_speakable(segment)]
        if not segments:
            raise errors.NothingToSay(f"Nothing of this text can be spoken: {errors.quote(text)}")
        return [self.phonemize(segment) for segment in segments] if use_phoneme else segments

    def normalize_prompt(self, text: str) -> str:
        """A voice's transcript as the LLM takes it: normalised, with the trailing space of spec 11."""
        return self.normalize(text) + " "

    def normalize(self, text: str) -> str:
        """`text` in words and marks, closed by a full stop or question mark; "." where nothing is left."""
        whole = text.encode("utf-8", "ignore").decode("utf-8")  # half a surrogate pair is no character
        return self._rules.normalise(whole, self._files.current().replacements)

    def split(self, text: str) -> list[str]:
        """A normalised text cut into segments of 30 to 60 units."""
        return split(text, cut_words=self._cut_words)

    def phonemize(self, segment: str) -> str:
        """A normalised segment with phoneme tokens for the Hanzi whose reading is not certain."""
        return self._phonemize(segment, self._files.current())


def _is_speakable(text: str) -> bool:
    return any(char.isalnum() for char in text)
