"""Compares the flow: attention masks, token embedding, single evaluations, samplings, the state cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from glm_tts_api.model.flow import FlowConfig, FlowInput, FlowMatching, FlowSampler
from glm_tts_api.model.flow.sampler import DEFAULT_STEPS, n_frames, tokens_to_frames
from scripts.checks.parity.block_causal import (
    DEFAULT_BLOCK_PATTERN,
    BlockCausalSampler,
    block_causal_mask,
    visible_columns,
)
from scripts.checks.parity.fill import Shapes, fill, melin, rnd, toks
from scripts.checks.parity.golden import Case, CaseResult, Golden

ATOL = 2e-5
OFFICIAL = "flow_official"  # this golden file stores only a part of each output
CHECKED_STATES = (2, 6, 10)
CaseMeta = Mapping[str, Any]


def make_flow(dims: Mapping[str, Any], salt: str, shapes: Shapes) -> FlowMatching:
    """Makes a flow of the sizes `dims` whose weights are filled by rule (fill.py).

    The rotary frequencies keep the values that the class gives them.
    """
    flow = FlowMatching(FlowConfig.from_dict(dims))
    defined = {"estimator.rotary_embed.inv_freq": flow.estimator.rotary_embed.inv_freq}
    flow.load_state_dict({**fill(salt, "flow", shapes), **defined})
    return flow.eval()


def run(golden: Golden) -> Iterator[CaseResult]:
    meta = golden.meta
    flow = make_flow(meta["dims"], meta["salt"], meta["shapes"])
    yield from _masks(golden)
    if golden.name == "flow_extra":
        yield from _extra(golden, flow)
        return
    for case in golden.cases:
        differences = {"estimator": _estimator, "flow": _sampling, "flow_cache": _cache}[case["kind"]]
        yield differences(golden, flow, case)


def _masks(golden: Golden) -> Iterator[CaseResult]:
    names = golden.keys()
    for name in names:
        if name.startswith("mask_"):
            case = Case("flow", name)
            pattern, length = name.removeprefix("mask_").removesuffix("_rowsum").split("_T")
            visible = visible_columns([int(size) for size in pattern.split("_")], int(length))
            case.same("visible columns", visible.tolist(), golden[name].tolist())
            yield case.result()


def _evaluate(flow: FlowMatching, case: CaseMeta) -> tuple[Tensor, Tensor]:
    """Evaluates the flow's estimator once on the inputs of `case`.

    Returns the velocity and the token embedding.
    """
    length = case["T"]
    frames = tokens_to_frames(toks(case["tok_seed"], case["n_tokens"])[0], length)[None]
    pattern = case["block_pattern"] if case.get("causal", True) else None
    mask = None if pattern is None else block_causal_mask(pattern, length)[None, None]
    speaker = torch.nn.functional.normalize(rnd(case["spk_seed"], 1, 192), dim=-1)
    x, cond = rnd(case["x_seed"], 1, length, 80), rnd(case["cond_seed"], 1, length, 80)
    t = torch.tensor([case["t"]])
    velocity = flow.estimator(x, cond, frames, t=t, speaker=speaker, mask=mask)
    return velocity, flow.estimator.text_emb_layer(frames, None)


def _estimator(golden: Golden, flow: FlowMatching, meta: CaseMeta) -> CaseResult:
    index = meta["i"]
    case = Case("flow", f"{golden.name} estimator {index}")
    velocity, tokens = _evaluate(flow, meta)
    if golden.name == OFFICIAL:
        velocity = velocity[:, ::3, ::4]
    case.close("velocity", velocity, golden[f"est{index}_out"], atol=ATOL)
    case.close("tokens", tokens[:, ::5, ::7], golden[f"est{index}_text_embed_sub"], atol=ATOL)
    return case.result()


def make_input(meta: CaseMeta, tokens: Tensor, generator: torch.Generator) -> FlowInput:
    """Makes the flow's input for a golden case from the case's seeds and from `tokens`.

    Golden files name the prompt's length `prompt_tokens` or `P`, and its mel's length `prompt_mel` or `M`. A
    length of 0 tokens means no prompt.
    """
    n_prompt = meta["prompt_tokens"] if "prompt_tokens" in meta else meta["P"]
    n_mel = meta.get("prompt_mel", meta.get("M"))
    speaker = meta.get("emb_scale", 3) * rnd(meta["emb_seed"], 192)
    item = FlowInput(tokens, speaker, generator)
    if not n_prompt:
        return item
    return replace(
        item,
        prompt_tokens=toks(meta["prompt_tok_seed"], n_prompt)[0],
        prompt_mel=melin(meta["feat_seed"], n_mel)[0],
    )


def _sampler(flow: FlowMatching, meta: CaseMeta, item: FlowInput) -> FlowSampler:
    steps = meta.get("n_timesteps", DEFAULT_STEPS)
    if not meta.get("causal"):
        return FlowSampler(flow, item, steps=steps)
    return BlockCausalSampler(flow, item, meta.get("block_pattern") or DEFAULT_BLOCK_PATTERN, steps=steps)


def finish(sampler: FlowSampler) -> Tensor:
    while sampler.step_index < sampler.steps:
        sampler.step()
    return sampler.mel()


def _sampling(golden: Golden, flow: FlowMatching, meta: CaseMeta) -> CaseResult:
    index = meta["i"]
    case = Case("flow", f"{golden.name} sampling {index}")
    generator = torch.Generator().manual_seed(meta["seed"])
    item = make_input(meta, toks(meta["tok_seed"], meta["n_tokens"])[0], generator)
    sampler = _sampler(flow, meta, item)
    case.close("noise", sampler.state[0, :4, :8], golden[f"flow{index}_noise_head"], atol=0)
    while sampler.step_index < sampler.steps:
        key = f"flow{index}_x_step{sampler.step_index + 1}_sub"
        if sampler.step_index + 1 in CHECKED_STATES and key in golden:
            case.close(key, sampler.state[0, ::5, ::8], golden[key], atol=ATOL)
        sampler.step()
    mel = sampler.mel()
    if golden.name == OFFICIAL:
        mel = mel[:, ::4, ::3]
    case.close("mel", mel, golden[f"flow{index}_mel_bdt"], atol=ATOL)
    return case.result()


def _cache(golden: Golden, flow: FlowMatching, meta: CaseMeta) -> CaseResult:
    case = Case("flow", f"{golden.name} cache")
    generator = torch.Generator().manual_seed(meta["seed"])
    tokens = toks(meta["tok_seed"], meta["n2"])[0]
    pattern = meta.get("block_pattern") or DEFAULT_BLOCK_PATTERN
    head = make_input(meta, tokens[: meta["n1"]], generator)
    first = BlockCausalSampler(flow, head, pattern, steps=DEFAULT_STEPS)
    case.close("first", finish(first), golden["cache_m1"], atol=ATOL)
    cache = first.cache(meta["override_len"])
    whole = make_input(meta, tokens, generator)
    second = BlockCausalSampler(flow, whole, pattern, steps=DEFAULT_STEPS, cache=cache)
    case.close("second", finish(second), golden["cache_m2"], atol=ATOL)
    return case.result()


def _extra(golden: Golden, flow: FlowMatching) -> Iterator[CaseResult]:
    for meta in golden.cases:
        index = meta["i"]
        case = Case("flow", f"long token embedding {index}")
        frames = tokens_to_frames(toks(meta["tok_seed"], meta["n"])[0], meta["T"])
        tokens = flow.estimator.text_emb_layer(frames[None], None)[0]
        case.close("rows", tokens[golden[f"te{index}_rows"]][:, ::3], golden[f"te{index}_out"], atol=ATOL)
        yield case.result()
    for meta in golden.meta["estimator_long"]:
        index = meta["i"]
        case = Case("flow", f"long estimator {index}")
        velocity, _ = _evaluate(flow, meta)
        case.close("velocity", velocity[:, ::7, ::3], golden[f"estlong{index}_out_sub"], atol=ATOL)
        yield case.result()
    yield _long_prompt(golden, flow)
    yield _lengths(golden, flow)


def _long_prompt(golden: Golden, flow: FlowMatching) -> CaseResult:
    meta = golden.meta["long_prompt"]
    case = Case("flow", "prompt longer than the sequence")
    generator = torch.Generator().manual_seed(meta["seed"])
    sampler = FlowSampler(flow, make_input(meta, toks(meta["tok_seed"], meta["n"])[0], generator))
    while sampler.step_index < sampler.steps - 1:
        sampler.step()
    case.close("state", sampler.state[0], golden["longprompt_x_step10"], atol=ATOL)
    frames = finish(sampler).shape[-1]
    case.holds(frames == int(golden["longprompt_out_T"]), f"{frames} frames left")
    return case.result()


def _lengths(golden: Golden, flow: FlowMatching) -> CaseResult:
    case = Case("flow", "frames of n tokens")
    listed = dict(golden.meta["feat_len_not_2n"])
    counts = [n_frames(n, flow.config) for n in range(1, max(listed) + 1)]
    case.same("frames", counts, [listed.get(n, 2 * n) for n in range(1, max(listed) + 1)])
    return case.result()
