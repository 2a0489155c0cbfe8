"""The text tokenizer's files, added tokens and special ids; the golden texts are in tests/golden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from glm_tts_api.errors import CheckpointError
from glm_tts_api.model.tokenizer import AddedToken, TextTokenizer
from scripts.checks.parity.golden import Golden
from scripts.checks.parity.tokenizer import write_tokenizer

GOLDEN = Golden(Path(__file__).parents[1] / "golden" / "data" / "tokenizer.json")["tokenizer"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_tokenizer(tmp_path, GOLDEN)
    return tmp_path


def _bytes_and(**added: AddedToken) -> TextTokenizer:
    """A tokenizer of single bytes, with the special tokens and others."""
    special = ["<|endoftext|>", "<|user|>", "<|begin_of_audio|>", *(f"<|audio_{k}|>" for k in range(32768))]
    tokens = {content: AddedToken(256 + number) for number, content in enumerate(special)}
    return TextTokenizer({bytes([value]): value for value in range(256)}, {**tokens, **added})


def _config(directory: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((directory / "tokenizer_config.json").read_text())
    return config


def test_added_tokens_may_swallow_whitespace() -> None:
    left = _bytes_and(X=AddedToken(1000, lstrip=True))
    right = _bytes_and(X=AddedToken(1000, rstrip=True))
    assert left.encode("a \nX b")[0] == [97, 1000, 32, 98]
    assert right.encode("a X \nb")[0] == [97, 32, 1000, 98]


@pytest.mark.parametrize(
    ("text", "found"), [("a X b", True), ("X b", True), ("X", True), ("aX b", False), ("a Xb", False)]
)
def test_a_single_word_token_stands_alone(text: str, found: bool) -> None:
    assert (1000 in _bytes_and(X=AddedToken(1000, single_word=True)).encode(text)[0]) == found


def test_generation_ends_with_user_not_with_end_of_audio(directory: Path) -> None:
    known = TextTokenizer.from_dir(directory)
    assert [known.end_of_audio] == known.encode("<|user|>")[0] != known.encode("<|end_of_audio|>")[0]


@pytest.mark.parametrize("content", ["<|audio_32767|>", "<|begin_of_audio|>", "<|user|>"])
def test_a_missing_special_token_is_named(directory: Path, content: str) -> None:
    config = _config(directory)
    added = config["added_tokens_decoder"]
    config["added_tokens_decoder"] = {k: v for k, v in added.items() if v["content"] != content}
    (directory / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError) as error:
        TextTokenizer.from_dir(directory)
    assert content in str(error.value)


def test_a_special_token_below_endoftext_is_refused(directory: Path) -> None:
    config = _config(directory)
    user = next(k for k, v in config["added_tokens_decoder"].items() if v["content"] == "<|user|>")
    config["added_tokens_decoder"]["5"] = config["added_tokens_decoder"].pop(user)
    (directory / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="below"):
        TextTokenizer.from_dir(directory)


@pytest.mark.parametrize(
    ("name", "content"),
    [("tokenizer.model", "not base64!"), ("tokenizer.model", "AA== 0\n"), ("tokenizer_config.json", "{"),
     ("tokenizer_config.json", "{}"), ("tokenizer_config.json", '{"added_tokens_decoder": [1]}')],
)  # fmt: skip
def test_a_broken_file_is_named(directory: Path, name: str, content: str) -> None:
    (directory / name).write_text(content)
    with pytest.raises(CheckpointError, match=name):
        TextTokenizer.from_dir(directory)
