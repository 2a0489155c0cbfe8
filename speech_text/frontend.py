"""Turns a text into segments: words to speak, for a TTS model's tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path

from speech_text.blocks import block_ends
from speech_text.cut.block_pauses import Pauses
from speech_text.cut.pieces import Check, unwatched
from speech_text.cut.split import MAX_WEIGHT, known_weight, split
from speech_text.default.rules import DefaultRules
from speech_text.dictionaries import Dictionaries, shipped
from speech_text.errors import TextError, quote
from speech_text.lexicon import Lexicon
from speech_text.marks import MOOD_SIGN, Cut, Part, overlaid, parts_of, take_out_marks
from speech_text.markup.formulas import formula_parts
from speech_text.markup.tags import markup_parts, outermost
from speech_text.markup.verbatim import verbatim_parts
from speech_text.phonemes.writer import Phonemizer
from speech_text.places import Placed
from speech_text.published import PublishedRules
from speech_text.reading import Reading, SpokenSegment
from speech_text.types import ReadingOptions, RuleSet

_PAUSES = Pauses()
_NOTHING_ASKED = ReadingOptions()
_LONG = 500  # characters: in a longer text addresses and code are shortened by default
_MOST_GROWTH = 2  # one sign can become 18 characters, but no real text consists of such signs


class TextFrontend:
    """Normalises a text, cuts it into segments and, in phoneme mode, writes uncertain Hanzi as phoneme
    tokens. Safe to call from several threads.

    `longest_segment` is about the largest weight of a segment (cut/split.py), which a model may set lower. It
    has no effect under the published rules."""

    def __init__(
        self,
        dictionaries: Path | Callable[[], Dictionaries] = shipped,
        lexicon: Callable[[], Lexicon] | None = None,
        *,
        cache_dir: Path | None = None,
        rules: RuleSet = "default",
        max_characters: int | None = None,
    ) -> None:
        """`dictionaries` is a function or the folder of the files, and `lexicon` a function. Functions are
        called for each text, and a folder is read once. Without them the dictionaries that come with this
        package hold, and no lexicon. `cache_dir` is for files that can be built again; by default it is
        ~/.cache/speech_text. `rules` names the set of reading rules.

        `max_characters` is the limit for a text, which callers check. Once its signs and lexicon words are
        written out as words, the text may have twice as many characters. None sets no limit.
        """
        self.longest_segment = MAX_WEIGHT
        if isinstance(dictionaries, Path):
            dictionaries = cache(partial(Dictionaries.read, dictionaries))
        self._dictionaries = dictionaries
        self._lexicon = lexicon or (lambda: Lexicon((), dictionaries().phonemes))
        self._max_characters = max_characters
        self._cut_words = rules == "default"
        cache_dir = cache_dir or Path.home() / ".cache" / "speech_text"
        self._rules: PublishedRules | DefaultRules
        if rules == "published":
            self._rules = PublishedRules()
        else:
            self._rules = DefaultRules(lambda: dictionaries().words)
        self._phonemize = Phonemizer(cache_dir, published=rules == "published")

    def prepare(self, text: str, *, use_phoneme: bool = False) -> list[str]:
        """Returns the segments of `text` as strings for the LLM's tokenizer. With `use_phoneme`, phoneme
        tokens replace Hanzi whose pronunciation is not certain. Raises the errors of `read`."""
        return [segment.spoken for segment in self.read(text, ReadingOptions(use_phoneme)).segments]

    def read(
        self,
        text: str,
        options: ReadingOptions = _NOTHING_ASKED,
        check: Check = unwatched,
        transcript: str = "",
    ) -> Reading:
        """Reads `text`: applies its marks and the lexicon, normalises it and cuts it into segments. The
        lexicon in `options` takes precedence over the other. `transcript` is what the voice says in its
        recording: a text of figures without a word is read in the language of the transcript.

        `check` is called repeatedly during the work, and its errors are passed on. Raises TextError
        ("nothing_to_say", "text_too_long", and "malformed_pronunciation" for an invalid mark).
        """
        parts, n_chars = list[Part](), 0
        for found in self._parts(text, options, check):
            n_chars += len(found.said) + len(found.syllables)
            self._require_short(n_chars)
            parts.append(found)
        marked = take_out_marks(text, parts)
        if not any(map(str.isalnum, marked.plain)):
            raise TextError(
                "nothing_to_say", "The text has nothing to say: no letter, no digit and no Hanzi."
            )
        folded, replacements = self._rules.fold(marked.text), self._dictionaries().replacements
        self._require_short(len(folded.text))
        said = self._rules.speak(folded, replacements, check, transcript)
        how = (self._phonemize.words, self.longest_segment) if self._cut_words else ()
        read = self.phonemize if options.use_phoneme else str
        sounds = iter(marked.sounds)
        segments, placed = list[SpokenSegment](), list[Placed]()
        pause_s, block_s, voice, speed = 0.0, 0.0, "", 1.0
        for cut, stretch in marked.stretches(said):
            pause_s, speed = pause_s + cut.pause_s, cut.speed or speed
            block_s = max(block_s, cut.block_s) if segments else 0.0
            voice = voice if cut.voice is None else cut.voice
            speaker = None if voice in ("", MOOD_SIGN) else voice  # None: the request's voice, in its mood
            for part in stretch.parts(split(stretch.text, *how)):
                check()
                segment = self._rules.speak_segment(part, replacements)
                if any(map(str.isalnum, segment.text)):
                    if marked.sounds:
                        segment, spoken = marked.put_back(segment, sounds, read)
                    else:
                        spoken = read(segment.text)
                    segments.append(SpokenSegment(segment.text, spoken, pause_s or block_s, speaker, speed))
                    placed.append(segment)
                    pause_s = block_s = 0.0
        if not segments:
            raise TextError("nothing_to_say", f"Nothing of this text can be spoken: {quote(text)}")
        return Reading(marked, tuple(segments), pause_s, tuple(placed))

    def normalize(self, text: str) -> str:
        """Returns `text` as it is spoken: its numbers and signs are written as words, and it ends with a full
        stop or a question mark. Returns "." if nothing is left to speak."""
        folded = self._rules.fold(Placed.written(text))
        return self._rules.speak(folded, self._dictionaries().replacements).text

    def _parts(self, text: str, options: ReadingOptions, check: Check) -> Iterable[Part]:
        """Returns the parts of `text`: its marks, the pauses after its blocks, its markup and formulas, its
        addresses and code where they are not read in full, and the words of the lexicon. A stage that finds
        nothing in `text` is left out. The published rules know no blocks, markup or formulas."""
        lexicon = self._lexicon()
        if options.lexicon:
            lexicon = lexicon.extended(options.lexicon)
        parts = parts_of(text, lexicon.inventory)
        layers = list[Iterable[Part]]()
        if self._cut_words:
            pauses = [Part(end, cut=Cut(block_s=_PAUSES.after(kind))) for end, kind in block_ends(text)]
            parts = overlaid(parts, pauses) if pauses else parts
            layers = [formula_parts(text), markup_parts(text)]
        how = options.verbatim or ("short" if self._cut_words and len(text) > _LONG else "read")
        if how != "read":
            layers.append(verbatim_parts(text, how))
        if unspoken := [*outermost(*layers)]:
            parts = overlaid(parts, unspoken)
        return lexicon.apply(parts, check) if lexicon.entries else parts

    def _require_short(self, n_chars: int) -> None:
        if self._max_characters is not None and n_chars > (most := _MOST_GROWTH * self._max_characters):
            raise TextError(
                "text_too_long",
                f"The text has {n_chars} characters or more once its signs and words of the lexicon are "
                f"written out; at most {most} are possible (twice MAX_TEXT_LENGTH).",
            )

    def phonemize(self, segment: str) -> str:
        """Returns a normalised segment with phoneme tokens in place of Hanzi. Words of the user's
        pronunciation dictionary are always replaced. Another Hanzi stays if it is on the keep list and has
        its usual reading, or if the model lacks its phonemes."""
        return self._phonemize(segment, self._dictionaries())

    def clear_cache(self) -> None:
        """Forgets what was computed for earlier texts. Frees memory only; no result changes."""
        known_weight.cache_clear()
        self._phonemize.syllables.cache_clear()
        if isinstance(self._rules, PublishedRules):
            self._rules.forget()
