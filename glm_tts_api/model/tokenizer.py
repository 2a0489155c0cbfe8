"""The text tokenizer (docs/model.md 3). Added tokens are cut out of the text first; tiktoken encodes the text
between them (byte-pair encoding).

The module reads a tokenizer directory with the layout of ChatGLM4. No code from that directory is run.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tiktoken

from glm_tts_api.errors import CheckpointError

# The pattern by which GLM-4 tokenizers cut text into words before the byte-pair merges.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LAST_AUDIO = "<|audio_32767|>"
_FIRST_SPECIAL = "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token that is found in the text before the byte-pair encoding. `lstrip` and `rstrip` say that it also
    takes the whitespace to its left or right. `single_word` says that it counts only between spaces or the
    ends of the text."""

    id: int
    lstrip: bool = False
    rstrip: bool = False
    single_word: bool = False


class TextTokenizer:
    """Turns text into token ids, and knows the ids of special tokens (docs/model.md 3).

    `audio_start` is the id of speech token 0; the other speech tokens follow it. `audio_end` is the id of the
    official model's last speech token. `begin_of_audio` stands between text and speech. `end_of_audio` ends
    the speech; its token is `<|user|>`, not `<|end_of_audio|>`. `pad` is the id for padding.
    """

    def __init__(
        self, ranks: Mapping[bytes, int], added: Mapping[str, AddedToken], *, pattern: str = PATTERN
    ) -> None:
        self._bpe = tiktoken.Encoding("glm", pat_str=pattern, mergeable_ranks=dict(ranks), special_tokens={})
        self._added = dict(added)
        self._contents = {token.id: content for content, token in added.items()}
        self._lengths = sorted({len(content) for content in added}, reverse=True)
        self._starts = re.compile("[" + re.escape("".join(sorted({c[0] for c in added}))) + "]")
        self.pad = self._special(_FIRST_SPECIAL)
        self.audio_start = self._special("<|audio_0|>")
        self.audio_end = self._special(_LAST_AUDIO)
        self.begin_of_audio = self._special("<|begin_of_audio|>")
        self.end_of_audio = self._special("<|user|>")

    @classmethod
    def from_dir(cls, directory: Path) -> TextTokenizer:
        """Makes the tokenizer from the files tokenizer.model and tokenizer_config.json in `directory`. Raises
        CheckpointError if their content is not valid."""
        return cls(
            _read_ranks(directory / "tokenizer.model"), _read_added(directory / "tokenizer_config.json")
        )

    def encode(self, text: str) -> tuple[list[int], list[str]]:
        """Returns the ids of `text`, and the text of each id. An added token in it, such as `<|user|>`,
        becomes its one id. No id is added before or after them. A character of several ids belongs to the
        last of them; the texts of the others are empty."""
        ids = list[int]()
        for piece in self._cut(text):
            ids += [piece.id] if isinstance(piece, AddedToken) else self._bpe.encode_ordinary(piece)
        decoder, ordinary = codecs.getincrementaldecoder("utf-8")("replace"), self._bpe
        texts = (self._contents.get(i) or decoder.decode(ordinary.decode_single_token_bytes(i)) for i in ids)
        return ids, [*texts]

    def _cut(self, text: str) -> Iterator[str | AddedToken]:
        """Cuts `text` into added tokens and the ordinary text between them, and yields these in their order.
        Of added tokens that begin at the same place, the longest counts."""
        start = end = 0  # `start`: where the present ordinary text begins; `end`: where to search on
        swallow = False
        for match in self._starts.finditer(text):
            at = match.start()
            content = self._added_at(text, at) if at >= end else None
            if content is None:
                continue
            token, after = self._added[content], at + len(content)
            left = text[start:at].lstrip() if swallow else text[start:at]
            if token.single_word and not (left[-1:] in ("", " ") and text[after : after + 1] in ("", " ")):
                end = after
                continue
            yield left.rstrip() if token.lstrip else left
            yield token
            start, end, swallow = after, after, token.rstrip
        yield text[start:].lstrip() if swallow else text[start:]

    def _added_at(self, text: str, at: int) -> str | None:
        for length in self._lengths:
            if text[at : at + length] in self._added:
                return text[at : at + length]
        return None

    def _special(self, content: str) -> int:
        ids, _ = self.encode(content)
        if len(ids) != 1:
            raise CheckpointError(f"The text tokenizer knows no token {content} (it gives {len(ids)} ids)")
        first = ids[0] if content == _FIRST_SPECIAL else self.pad
        if ids[0] < first:
            raise CheckpointError(f"{content} has id {ids[0]}, below {_FIRST_SPECIAL}'s {first}")
        return ids[0]


def _read_ranks(path: Path) -> dict[bytes, int]:
    """Reads a file with a token in base64 and its rank on each line. Raises CheckpointError if a line is not
    valid or a single byte has no rank."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except ValueError as error:
            raise CheckpointError(f"{path}, line {number}: not a base64 token and its rank") from error
    missing = sum(bytes([value]) not in ranks for value in range(256))
    if missing:
        raise CheckpointError(f"{path}: {missing} of the 256 single bytes have no rank")
    return ranks


def _read_added(path: Path) -> dict[str, AddedToken]:
    try:
        entries: dict[str, dict[str, Any]] = json.loads(path.read_bytes())["added_tokens_decoder"]
        return {
            str(entry["content"]): AddedToken(
                id=int(number),
                lstrip=bool(entry.get("lstrip")),
                rstrip=bool(entry.get("rstrip")),
                single_word=bool(entry.get("single_word")),
            )
            for number, entry in entries.items()
            if entry["content"]
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: no usable added_tokens_decoder ({error!r})") from error
