"""The one door of the text room: from what a client wrote to what the LLM's tokenizer encodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from glm_tts_api import errors
from glm_tts_api.contracts import ReadingOptions, Verbatim
from glm_tts_api.text.changes import Use
from glm_tts_api.text.cut.block_pauses import Pauses
from glm_tts_api.text.cut.paragraphs import block_ends
from glm_tts_api.text.cut.pieces import Check, unwatched
from glm_tts_api.text.cut.split import forget_words, split
from glm_tts_api.text.default.rules import DefaultRules
from glm_tts_api.text.markup.lexicon import LexiconFile
from glm_tts_api.text.markup.marks import Part, cut_blocks, parts_of, take_out_marks
from glm_tts_api.text.markup.verbatim import shortened, verbatim_spans
from glm_tts_api.text.phonemes.dictionaries import DictionaryFiles
from glm_tts_api.text.phonemes.writer import Phonemizer
from glm_tts_api.text.published.rules import PublishedRules
from glm_tts_api.text.reading import Reading, SpokenSegment
from glm_tts_api.text.wetext import chinese_normalizer, english_normalizer

RuleSet = Literal["default", "published"]
_PAUSES = Pauses()
_NOTHING_ASKED = ReadingOptions()
_LONG = 500  # characters of a text whose addresses and code are shortened where nobody says otherwise
_MOST_GROWTH = 2  # one sign can stand for 18 characters; a whole text of such is no text


class TextFrontend:
    """Normalises, cuts and (in phoneme mode) phonemises. Safe to call from several threads."""

    def __init__(
        self,
        config_dir: Path,
        *,
        cache_dir: Path,
        rules: RuleSet = "default",
        shipped: Path | None = None,
        max_characters: int | None = None,
    ) -> None:
        """`config_dir` holds the user's dictionaries, `shipped` those that stand in for what it lacks,
        `cache_dir` what can be built again. A text may have `max_characters`, and twice as many once its
        signs and words of the lexicon are written out."""
        self._files = DictionaryFiles(config_dir, shipped)
        self._lexicon = LexiconFile(config_dir, self._files)
        self._max_characters = max_characters
        self._cut_words = rules == "default"
        self._rules: PublishedRules | DefaultRules
        if rules == "published":
            self._rules = PublishedRules(chinese_normalizer(cache_dir), english_normalizer())
        else:
            self._rules = DefaultRules()
        self._phonemize = Phonemizer(cache_dir, published=rules == "published")
        self.split("ready")  # the pronouncing dictionary loads now, not with the first request

    @property
    def warnings(self) -> tuple[str, ...]:
        """Faults of the user's dictionaries when they were last read."""
        self._lexicon.current()
        return (*self._files.current().warnings, *self._lexicon.warnings)

    def prepare(self, text: str, *, use_phoneme: bool = False) -> list[str]:
        """The segments of `read` alone, as the LLM's tokenizer takes them."""
        return [segment.spoken for segment in self.read(text, ReadingOptions(use_phoneme)).segments]

    def read(
        self,
        text: str,
        options: ReadingOptions = _NOTHING_ASKED,
        check: Check = unwatched,
    ) -> Reading:
        """Reads `text`; the lexicon of its request goes before the user's.

        Raises NothingToSay, TextTooLong, MalformedPronunciation for a mark that makes no sense, and the
        errors of `check`, which is called again and again meanwhile."""
        entries = self._lexicon.current().extended(options.lexicon)
        written = cut_blocks(parts_of(text, entries.inventory), self._block_ends(text))
        written = shortened(written, verbatim_spans(text, self._verbatim(text, options)))
        parts = entries.apply(written, check)
        marked = take_out_marks(text, self._short_enough(parts))
        if not _is_speakable(marked.plain):
            raise errors.NothingToSay("The text has nothing to say: no letter, no digit and no Hanzi.")
        read = self.phonemize if options.use_phoneme else str
        sounds = iter(marked.sounds)
        segments, uses = list[SpokenSegment](), list[Use]()
        pause_s, block_s, voice, speed = 0.0, 0.0, None, 1.0
        replacements = self._files.current().replacements
        for cut, stretch in marked.stretches(self.normalize(marked.text, check, uses)):
            pause_s, speed = pause_s + cut.pause_s, cut.speed or speed
            block_s = max(block_s, cut.block_s) if segments else 0.0
            voice = voice if cut.voice is None else cut.voice or None
            for part in self.split(stretch):
                check()
                segment = self._rules.speak_segment(part, replacements)
                if _is_speakable(segment):
                    words, spoken = marked.put_back(segment, sounds, read)
                    segments.append(SpokenSegment(words, spoken, pause_s or block_s, voice, speed))
                    pause_s = block_s = 0.0
        if not segments:
            raise errors.NothingToSay(f"Nothing of this text can be spoken: {errors.quote(text)}")
        return Reading(marked, tuple(segments), pause_s, tuple(uses))

    def normalize_prompt(self, text: str) -> str:
        """A voice's transcript as the LLM takes it: normalised, with a space behind (docs/model.md 11)."""
        return self.normalize(text) + " "

    def normalize(self, text: str, check: Check = unwatched, uses: list[Use] | None = None) -> str:
        """`text` in words and marks, closed by a full stop or question mark; "." where nothing is left.
        Each use of a rule is added to `uses`."""
        whole = text.encode("utf-8", "ignore").decode("utf-8")  # half a surrogate pair is no character
        folded = self._rules.fold(whole)
        self._require_short(len(folded))
        return self._rules.speak(
            folded, self._files.current().replacements, [] if uses is None else uses, check
        )

    def _block_ends(self, text: str) -> Iterator[tuple[int, float]]:
        """Where paragraphs, headings and list items end, and the pause behind each. The published rules know
        none."""
        ends = block_ends(text) if self._cut_words else ()
        return ((end, _PAUSES.after(kind)) for end, kind in ends)

    def _verbatim(self, text: str, options: ReadingOptions) -> Verbatim:
        """The published rules shorten nothing by themselves."""
        is_long = self._cut_words and len(text) > _LONG
        return options.verbatim or ("short" if is_long else "read")

    def _short_enough(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The parts, as long as they are not too long together. Raises TextTooLong."""
        n_chars = 0
        for part in parts:
            n_chars += len(part.said) + len(part.syllables)
            self._require_short(n_chars)
            yield part

    def _require_short(self, n_chars: int) -> None:
        if self._max_characters is not None and n_chars > (most := _MOST_GROWTH * self._max_characters):
            raise errors.TextTooLong(
                f"The text has {n_chars} characters or more once its signs and words of the lexicon are "
                f"written out; at most {most} are possible (twice MAX_TEXT_LENGTH)."
            )

    def split(self, text: str) -> list[str]:
        """A normalised text cut into segments of 30 to 60 units."""
        return split(
            text, cut_words=self._cut_words, words=self._phonemize.words if self._cut_words else None
        )

    def phonemize(self, segment: str) -> str:
        """A normalised segment with phoneme tokens for the Hanzi whose reading is not certain."""
        return self._phonemize(segment, self._files.current())

    def clear_cache(self) -> None:
        """Forgets what it has read before."""
        forget_words()
        self._phonemize.forget()
        self._rules.forget()


def _is_speakable(text: str) -> bool:
    return any(char.isalnum() for char in text)
