"""Compares mel spectrograms, Kaldi filter banks and the resampler with golden files."""

from __future__ import annotations

from collections.abc import Iterator

from glm_tts_api.model.mel import log_mel, resample
from glm_tts_api.model.speaker_encoder import kaldi_fbank
from scripts.checks.parity.fill import pcm
from scripts.checks.parity.golden import Case, CaseResult, Golden

MEL_ATOL = 1e-4
FBANK_ATOL = 5e-3
RESAMPLE_ATOL = 1e-4
MEL_RATES = {"mel_24k": 24000, "mel_32k": 32000}


def run(golden: Golden) -> Iterator[CaseResult]:
    names = golden.keys()
    for index in sorted(int(name[2:].split("_")[0]) for name in names if name.endswith("_wav_i16")):
        case = Case("audio", f"{golden.name} {index}")
        wave = pcm(golden[f"in{index}_wav_i16"])
        if golden.name in MEL_RATES:
            mel = log_mel(wave, MEL_RATES[golden.name])
            case.close("mel", mel, golden[f"out{index}_mel"], atol=MEL_ATOL)
        elif golden.name == "kaldi_fbank":
            case.close("fbank", kaldi_fbank(wave), golden[f"out{index}_fbank"], atol=FBANK_ATOL)
        else:
            _resample(case, golden, index)
        yield case.result()


def _resample(case: Case, golden: Golden, index: int) -> None:
    wave = pcm(golden[f"in{index}_wav_i16"])  # [C, N]
    rate_in, rate_out, _ = golden.cases[index]
    case.note(f"{rate_in} to {rate_out} Hz")
    mono = resample(wave.mean(0), rate_in, rate_out)
    case.close("mean", mono, golden[f"out{index}_mean_then_resample"], atol=RESAMPLE_ATOL)
    if f"out{index}_resample_then_ch0" in golden:
        first = resample(wave, rate_in, rate_out)[0]
        case.close("channel 0", first, golden[f"out{index}_resample_then_ch0"], atol=RESAMPLE_ATOL)
