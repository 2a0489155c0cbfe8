"""Compares text to waveform: the order of steps of the published code (docs/model.md 11), on our parts.

For each segment a new random generator with the same seed serves the LLM, the flow and the vocoder in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from glm_tts_api.engine.llm_prompt import MAX_TOKENS_PER_ID, MIN_TOKENS_PER_ID, Earlier, PromptLayout, Segment
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.model.flow import FlowInput, FlowMatching
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.tokenizer import TextTokenizer
from glm_tts_api.model.vocoder import HiFT
from scripts.checks.parity.fill import melin, rnd, toks
from scripts.checks.parity.flow import ATOL, make_flow
from scripts.checks.parity.golden import Case, CaseResult, Golden
from scripts.checks.parity.hift import make_hift
from scripts.checks.parity.llm import generate, make_runner
from scripts.checks.parity.tokenizer import load_tokenizer

SNR_DB = 40
WAVE_STRIDE = 23
CaseMeta = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pipeline:
    tokenizer: TextTokenizer
    llm: LlmRunner
    flow: FlowMatching
    hift: HiFT

    @property
    def layout(self) -> PromptLayout:
        return PromptLayout(
            audio_start=self.tokenizer.audio_start,
            begin_of_audio=self.tokenizer.begin_of_audio,
            slot_length=self.llm.config.max_position_embeddings,
        )

    @property
    def special(self) -> dict[str, int]:
        return {"ats": self.tokenizer.audio_start, "eoa": self.tokenizer.end_of_audio}


def run(golden: Golden) -> Iterator[CaseResult]:
    pipeline = _pipeline(golden)
    for index, meta in enumerate(golden["prune_cases"]):
        yield _prune(pipeline, index, meta)
    for meta in golden.cases:
        yield _utterance(golden, pipeline, meta)


def _pipeline(golden: Golden) -> Pipeline:
    """Builds the models by the golden file's meta data, and the tokenizer by tokenizer.json beside it."""
    meta, salts = golden.meta, golden.meta["salts"]
    tokenizer = Golden(golden.path.with_name("tokenizer.json"))["tokenizer"]
    return Pipeline(
        load_tokenizer(tokenizer),
        make_runner(meta["llm_config"], salts["llm"], meta["llm_shapes"], meta["rows"]),
        make_flow(meta["flow_dims"], salts["flow"], meta["flow_shapes"]),
        make_hift(meta["hift_dims"], salts["hift"], meta["hift_shapes"]),
    )


def _prune(pipeline: Pipeline, index: int, meta: CaseMeta) -> CaseResult:
    case = Case("e2e", f"prune {index}")
    texts, lengths = meta["cache_text_tokens"], meta["cache_speech_lens"]
    said: Earlier = [(texts[entry], [entry] * lengths[entry]) for entry in range(len(texts))]
    prompt, *earlier = said
    voice = VoicePrompt(*prompt, torch.empty(0), torch.empty(0))
    pipeline.layout.prune(earlier, Segment([0] * meta["synth_len"], voice))
    case.same("kept entries", [str(speech[0]) for _, speech in (prompt, *earlier)], meta["kept"])
    sizes = [sum(map(len, lists)) for lists in zip(prompt, *earlier, strict=True)]
    case.same("lengths", sizes, [meta["prompt_text_len"], meta["prompt_speech_len"]])
    return case.result()


def _utterance(golden: Golden, pipeline: Pipeline, meta: CaseMeta) -> CaseResult:
    case = Case("e2e", meta["key"])
    prompt_ids, _ = pipeline.tokenizer.encode(meta["prompt_text_norm"] + " ")
    case.same("prompt ids", prompt_ids, meta["prompt_text_ids"])
    speaker, mel = (_evaluate(meta[name])[0] for name in ("embedding", "speech_feat"))
    voice, earlier = VoicePrompt(prompt_ids, meta["prompt_speech_tokens"], speaker, mel), Earlier()
    mels, waves = list[Tensor](), list[Tensor]()
    texts = meta["segments_phoneme"] or meta["segments_tn"]
    for text, expected in zip(texts, meta["per_segment"], strict=True):
        generator = torch.Generator().manual_seed(meta["seed"])
        ids, _ = pipeline.tokenizer.encode(text)
        tokens = _speak(case, pipeline, Segment(ids, voice), earlier, expected, generator)
        spoken, prompt = torch.tensor(tokens), torch.tensor(voice.speech_tokens)
        mels.append(pipeline.flow.sample(FlowInput(spoken, speaker, generator, prompt, mel)))
        waves.append(pipeline.hift(mels[-1], noise=generator))
        if meta["use_cache"]:
            earlier.append((ids, tokens))
    _compare(golden, case, meta, torch.cat(mels, 2), torch.cat(waves))
    return case.result()


def _speak(
    case: Case,
    pipeline: Pipeline,
    segment: Segment,
    earlier: Earlier,
    expected: CaseMeta,
    generator: torch.Generator,
) -> list[int]:
    """Returns the speech tokens that the LLM samples for one segment, and compares each step with `expected`.

    The `earlier` segments are pruned first, so that they fit the LLM's context.
    """
    pipeline.layout.prune(earlier, segment)
    prompt, texts = pipeline.layout.build(segment, earlier)[0], [*expected["prompt_text"], *expected["text"]]
    speech = [token + pipeline.layout.audio_start for token in expected["prompt_speech"]]
    case.same("prompt", prompt, [*texts, pipeline.layout.begin_of_audio, *speech])
    tokens = generate(
        pipeline.llm,
        prompt,
        pipeline.special,
        lengths=(MIN_TOKENS_PER_ID * len(segment.ids), MAX_TOKENS_PER_ID * len(segment.ids)),
        generator=generator,
    )
    case.same("tokens", tokens, expected["tokens"])
    return tokens


def _evaluate(expression: str) -> Tensor:
    """Evaluates an expression of the functions `rnd`, `toks` and `melin`, as `2.5*rnd(940,1,192)`."""
    functions = {"__builtins__": {}, "rnd": rnd, "toks": toks, "melin": melin}
    value: Tensor = eval(expression, functions)
    return value


def _compare(golden: Golden, case: Case, meta: CaseMeta, mel: Tensor, wave: Tensor) -> None:
    key = meta["key"]
    case.same("lengths", [wave.shape[0], mel.shape[2]], [meta["n_samples"], meta["n_mel"]])
    case.close("mel", mel[0, ::3, ::2], golden[f"{key}_mel_sub"], atol=ATOL)
    head = golden[f"{key}_wav"]
    case.snr("head", wave[: len(head)], head, above=SNR_DB)
    case.snr("whole", wave[::WAVE_STRIDE], golden[f"{key}_wav_sub"], above=SNR_DB)
