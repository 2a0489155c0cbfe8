"""Compares the speech tokenizer: features, vectors before quantisation, tokens."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from glm_tts_api.model.mel import resample
from glm_tts_api.model.speech_tokenizer import (
    SAMPLE_RATE,
    SpeechTokenizer,
    SpeechTokenizerConfig,
    encoder_key,
)
from scripts.checks.parity.fill import fill, pcm
from scripts.checks.parity.golden import Case, CaseResult, Golden

FEATURE_ATOL = 1e-4
HIDDEN_ATOL = 1e-3
SURE_MARGIN = 0.02  # if the two nearest codes differ by less in distance, float error may choose between them


def run(golden: Golden) -> Iterator[CaseResult]:
    tokenizer = _make(golden)
    index = 0
    while f"in{index}_wav_i16" in golden:
        yield _utterance(golden, tokenizer, index)
        index += 1
    if "feat0" in golden:
        yield _batch(golden, tokenizer)


def _make(golden: Golden) -> SpeechTokenizer:
    meta = golden.meta
    config = SpeechTokenizerConfig.from_dict(meta["config"])
    tokenizer = SpeechTokenizer(config, meta["preprocessor"])
    keys = {name: key for name in meta["shapes"] if (key := encoder_key(name, config)) is not None}
    weights = fill(meta["salt"], "tok", {name: meta["shapes"][name] for name in keys})
    tokenizer.load_state_dict({key: weights[name] for name, key in keys.items()})
    return tokenizer.eval()


def _wave(golden: Golden, index: int) -> torch.Tensor:
    return resample(pcm(golden[f"in{index}_wav_i16"]), int(golden[f"in{index}_sr"]), SAMPLE_RATE)


def _utterance(golden: Golden, tokenizer: SpeechTokenizer, index: int) -> CaseResult:
    case = Case("tok", f"{golden.name} {index}")
    pieces = list(torch.split(_wave(golden, index), tokenizer.features.n_samples))
    hidden, keep = tokenizer.hidden(*tokenizer.extract(pieces))
    case.close("hidden", hidden[0, ::7, ::5], golden[f"out{index}_hidden_sub"], atol=HIDDEN_ATOL)
    tokens, expected = tokenizer.tokenize([_wave(golden, index)])[0].numpy(), golden[f"out{index}_tokens"]
    if case.holds(len(tokens) == len(expected), f"{len(tokens)} tokens, expected {len(expected)}"):
        margin = golden[f"out{index}_margin_all_positions"].reshape(keep.shape)[keep.numpy()]
        sure = margin >= SURE_MARGIN
        case.same("tokens", tokens[sure].tolist(), expected[sure].tolist())
        case.note(f"{int(np.sum(~sure))} unsure left out, {int(np.sum(tokens != expected))} differ in all")
    return case.result()


def _batch(golden: Golden, tokenizer: SpeechTokenizer) -> CaseResult:
    """Compares a batch of two inputs of different length, padded as the published code pads it."""
    case = Case("tok", f"{golden.name} features, batch")
    features, mask = tokenizer.extract([_wave(golden, 0)])
    case.close("features", features[0], golden["feat0"], atol=FEATURE_ATOL)
    case.same("mask", mask[0].int().tolist(), golden["feat0_mask"].tolist())
    features, mask = tokenizer.extract([_wave(golden, 0), _wave(golden, 2)])
    case.close("batch", features[:, ::4, ::3], golden["feat_batch02_sub"], atol=FEATURE_ATOL)
    case.same("mask sums", mask.sum(1).tolist(), golden["feat_batch02_masksum"].tolist())
    hidden, keep = tokenizer.hidden(features, mask)
    codes = tokenizer.codes(hidden)
    for row, index in enumerate((0, 2)):
        expected = golden[f"out_batch02_tokens{index}"].tolist()
        case.same(f"tokens of {index}", codes[row][keep[row]].tolist(), expected)
    return case.result()
