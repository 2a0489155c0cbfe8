"""Compares streaming as the published code does it, on the project's parts.

For each block of tokens the flow samples all tokens up to the block's end again, and the vocoder renders the
whole mel again. Successive pieces of the waveform are cross-faded where they overlap. The variant "upstream"
repeats two mistakes of the published code: it counts the prompt as one token and one frame. The server itself
streams in another way (docs/streaming.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate, chain, repeat
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glm_tts_api.model.flow import FlowMatching
from glm_tts_api.model.vocoder import HiFT
from scripts.checks.parity.block_causal import BlockCausalSampler, StateCache
from scripts.checks.parity.fill import toks
from scripts.checks.parity.flow import ATOL, finish, make_flow, make_input
from scripts.checks.parity.golden import Case, CaseResult, Golden
from scripts.checks.parity.hift import make_hift

SNR_DB = 40
STEPS = 10
TOKENS_PER_SECOND = 25
BEFORE_A_SEAM, AROUND_A_SEAM = 200, 2800  # samples in the golden file: before each seam, and in all
CaseMeta = Mapping[str, Any]


def run(golden: Golden) -> Iterator[CaseResult]:
    meta = golden.meta
    flow = make_flow(meta["flow_dims"], meta["salts"]["flow"], meta["flow_shapes"])
    hift = make_hift(meta["hift_dims"], meta["salts"]["hift"], meta["hift_shapes"])
    for case in golden.cases:
        yield _case(golden, flow, hift, case)


def _case(golden: Golden, flow: FlowMatching, hift: HiFT, meta: CaseMeta) -> CaseResult:
    key = f"s{meta['k']}"
    case = Case("stream", f"{meta['k']} {meta['variant']}")
    blocks = list(_blocks(flow, hift, meta))
    pieces = list(_pieces([wave for _, wave in blocks], meta, hift.sample_rate))
    lengths = [len(piece) for piece in pieces]
    case.same("lengths", lengths, golden[f"{key}_lens"].tolist())
    for index, (mel, _) in enumerate(blocks):
        case.close(f"mel {index}", mel[0, ::6, ::3], golden[f"{key}_mel{index}_sub"], atol=ATOL)
    wave = np.concatenate(pieces)
    case.snr("whole", wave[:: meta["wav_stride"]], golden[f"{key}_wav_sub"], above=SNR_DB)
    for index, seam in enumerate(list(accumulate(lengths))[:-1]):
        start = seam - BEFORE_A_SEAM
        found = wave[start : start + AROUND_A_SEAM]
        case.snr(f"seam {index}", found, golden[f"{key}_seam{index}"][: len(found)], above=SNR_DB)
    return case.result()


def _blocks(flow: FlowMatching, hift: HiFT, meta: CaseMeta) -> Iterator[tuple[Tensor, Any]]:
    """Yields for each block the mel [1, 80, T] and the waveform of all tokens up to the end of the block."""
    slips = meta["variant"] == "upstream"
    n_prompt, n_prompt_frames = (1, 1) if slips else (meta["P"], meta["prompt_mel"])
    tokens = toks(meta["tok_seed"], meta["n"])[0]
    generator = torch.Generator().manual_seed(meta["seed"])
    pattern = (n_prompt, *meta["block_sizes"])
    cache: StateCache | None = None
    for end, look_ahead in zip(_ends(meta), _endless(meta["look_future_sizes"]), strict=False):
        item = make_input(meta, tokens[:end], generator)
        sampler = BlockCausalSampler(flow, item, pattern, steps=STEPS, cache=cache)
        mel = finish(sampler)
        wave = hift(mel, noise=generator).numpy().astype(np.float64)
        heard_s = len(wave) / hift.sample_rate - look_ahead / TOKENS_PER_SECOND
        cache = sampler.cache(n_prompt_frames + int(heard_s * hift.sample_rate / hift.hop) + 1)
        yield mel, wave


def _ends(meta: CaseMeta) -> Iterator[int]:
    for end in accumulate(_endless(meta["block_sizes"])):
        yield min(end, meta["n"])
        if end >= meta["n"]:
            return


def _endless(sizes: list[int]) -> Iterator[int]:
    """Yields the sizes; the last size repeats without end."""
    return chain(sizes, repeat(sizes[-1]))


def _pieces(waves: list[Any], meta: CaseMeta, sample_rate: int) -> Iterator[Any]:
    """Yields the samples that are sent for each block.

    `waves` holds for each block the waveform from the beginning of the text to the block's end. A piece
    begins after the samples that were sent before. The end of a piece is held back, and is cross-faded with
    the same samples of the next block. The last piece is sent whole.
    """
    n_sent, held = 0, np.zeros(0)
    for wave, look_ahead in zip(waves, _endless(meta["look_future_sizes"]), strict=False):
        piece = wave[n_sent:].copy()
        n = min(len(held), len(piece))
        piece[:n] = held[:n] * np.linspace(1, 0, n) + piece[:n] * np.linspace(0, 1, n)
        if wave is waves[-1]:
            yield piece
            return
        look_ahead_s = look_ahead / TOKENS_PER_SECOND
        overlap, unsure = (
            int(sample_rate * (look_ahead_s + meta["fade_sec"])),
            int(sample_rate * look_ahead_s),
        )
        held = piece[-overlap : len(piece) - unsure]
        piece = piece[: max(0, len(piece) - overlap)]
        n_sent += len(piece)
        yield piece
