"""Compares the vocoder HiFT: pitch, excitation and waveform, without noise and with noise from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from glm_tts_api.model.vocoder import HiFT, HiftConfig
from glm_tts_api.model.vocoder.source import HARMONICS, draw_noise
from scripts.checks.parity.fill import Shapes, fill
from scripts.checks.parity.golden import Case, CaseResult, Golden

F0_ATOL = 5e-3
SNR_DB = 38
HEAD_SAMPLES, HEAD_ATOL = 64, 1e-3
SOURCE_SNR_DB = 38


def make_hift(dims: Mapping[str, Any], salt: str, shapes: Shapes) -> HiFT:
    """Makes a HiFT vocoder of the sizes `dims` for inference, with weights filled by rule (fill.py)."""
    hift = HiFT(HiftConfig(dims["base_channels"], dims["f0_cond"]))
    hift.load_state_dict(fill(salt, "hift", shapes))
    return hift.fold()


def run(golden: Golden) -> Iterator[CaseResult]:
    meta = golden.meta
    hift = make_hift(meta["dims"], meta["salt"], meta["shapes"])
    for case_meta in golden.cases:
        yield _utterance(golden, hift, case_meta)


def _utterance(golden: Golden, hift: HiFT, meta: Mapping[str, Any]) -> CaseResult:
    index = meta["i"]
    case = Case("hift", f"{golden.name} {index} T={meta['T']}")
    mel = torch.from_numpy(golden[f"in{index}_mel"])[None]
    f0 = hift.f0_predictor(mel)
    case.close("f0", f0[0], golden[f"out{index}_f0"], atol=F0_ATOL)
    n_samples = mel.shape[-1] * hift.hop
    silent = hift.m_source(f0, torch.zeros(1, HARMONICS, n_samples))
    case.snr("source", silent[0], golden[f"out{index}_source_zero_noise"], above=SOURCE_SNR_DB)
    _wave(case, "zero noise", hift.decode(mel, silent)[0], golden[f"out{index}_wav_zero_noise"])

    generator = torch.Generator().manual_seed(meta["seed"])
    case.close("rand", torch.rand(1, 9, generator=generator)[0], golden[f"out{index}_rand_ini"], atol=0)
    noise = draw_noise(n_samples, generator.manual_seed(meta["seed"]))
    source = hift.m_source(f0, noise[None])[0, ::7]
    case.snr("seeded source", source, golden[f"out{index}_source_seeded_sub"], above=SOURCE_SNR_DB)
    wave = hift(mel, noise=generator.manual_seed(meta["seed"]))
    _wave(case, "seeded", wave, golden[f"out{index}_wav_seeded"])
    return case.result()


def _wave(case: Case, what: str, wave: torch.Tensor, expected: Any) -> None:
    case.snr(what, wave, expected, above=SNR_DB)
    case.close(f"{what}, head", wave[:HEAD_SAMPLES], expected[:HEAD_SAMPLES], atol=HEAD_ATOL)
