"""Compares the text tokenizer: files in the official layout are written and read by the project's code."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glm_tts_api.model.tokenizer import PATTERN, TextTokenizer
from scripts.checks.parity.golden import Case, CaseResult, Golden

_FIELDS = ("lstrip", "rstrip", "normalized", "single_word")


def write_tokenizer(directory: Path, tokenizer: Mapping[str, Any]) -> None:
    """Writes tokenizer.model and tokenizer_config.json to `directory`.

    `tokenizer` is the object under the key "tokenizer" of the golden file tokenizer.json.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lines = (f"{token} {rank}\n" for rank, token in enumerate(tokenizer["ranks_base64"]))
    (directory / "tokenizer.model").write_text("".join(lines), encoding="ascii")
    first, count = tokenizer["audio_token_first_id"], tokenizer["audio_token_count"]
    tokens = [*tokenizer["special_tokens"], *([f"<|audio_{k}|>", first + k] for k in range(count))]
    added = {
        str(number): {"content": content, **dict.fromkeys(_FIELDS, False), "special": True}
        for content, number in tokens
    }
    config = {"tokenizer_class": "ChatGLM4Tokenizer", "added_tokens_decoder": added}
    (directory / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


def load_tokenizer(tokenizer: Mapping[str, Any]) -> TextTokenizer:
    with tempfile.TemporaryDirectory() as directory:
        write_tokenizer(Path(directory), tokenizer)
        return TextTokenizer.from_dir(Path(directory))


def run(golden: Golden) -> Iterator[CaseResult]:
    source = golden["tokenizer"]
    tokenizer = load_tokenizer(source)
    case = Case("tokenizer", "special ids")
    case.holds(source["pat_str"] == PATTERN, "another word pattern than the project's")
    ids = dict(source["special_tokens"])
    first = source["audio_token_first_id"]
    found = [tokenizer.pad, tokenizer.end_of_audio, tokenizer.begin_of_audio, tokenizer.audio_start]
    expected = [ids["<|endoftext|>"], ids["<|user|>"], ids["<|begin_of_audio|>"], first]
    case.same("ids", [*found, tokenizer.audio_end], [*expected, first + source["audio_token_count"] - 1])
    yield case.result()
    for index, entry in enumerate(golden["cases"]):
        case = Case("tokenizer", f"text {index}")
        case.same("ids", tokenizer.encode(entry["text"])[0], entry["ids"])
        yield case.result()
