"""Compares the LLM: logits at the prompt's positions, and the tokens that the published loop samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.sampling import HISTORY, Columns, ras, top_k
from scripts.checks.parity.fill import RowFactors, Shapes, fill
from scripts.checks.parity.golden import Case, CaseResult, Golden

LOGITS_ATOL = 2e-3


def make_runner(config: Mapping[str, Any], salt: str, shapes: Shapes, rows: RowFactors | None) -> LlmRunner:
    """Makes an LLM in float32 on the CPU, with weights filled by rule (fill.py).

    The LLM may sample all ids of its vocabulary.
    """
    llama = Llama(LlmConfig.from_dict(config))
    llama.load_state_dict(fill(salt, "llm", shapes, rows))
    everything = range(llama.config.vocab_size)
    return LlmRunner(llama, sampled_ids=everything, device="cpu", dtype=torch.float32)


def build_prompt(
    prompt_text: Sequence[int], text: Sequence[int], prompt_speech: Sequence[int], special: Mapping[str, int]
) -> list[int]:
    """Returns the LLM's prompt: both texts, the begin-of-audio id, the prompt's speech ids (docs/model.md 4).

    `special` holds the ids `ats` (the first speech id) and `boa`. Speech tokens are shifted by `ats`, but not
    where there is no prompt text.
    """
    shift = special["ats"] if prompt_text and prompt_speech else 0
    return [*prompt_text, *text, special["boa"], *(token + shift for token in prompt_speech)]


def generate(
    runner: LlmRunner,
    prompt: Sequence[int],
    special: Mapping[str, int],
    *,
    lengths: tuple[int, int],
    generator: torch.Generator,
    method: str = "ras",
    sampling: int = 25,
) -> list[int]:
    """Samples speech tokens for one prompt as the published loop does, over the full vocabulary.

    `lengths` is (the number of tokens before the end is allowed, the largest number of tokens). `method` is
    "ras", or anything else for top-k with k = `sampling`. Returns the tokens minus the id `special["ats"]`.
    """
    min_len, max_len = lengths
    columns = Columns(end=special["eoa"], vocab_size=runner.config.vocab_size)
    slot_length = min(len(prompt) + max_len, runner.config.max_position_embeddings)
    cache = KVCache(runner.config, slots=1, slot_length=slot_length, dtype=runner.dtype, device=runner.device)
    hidden = runner.prefill(prompt, cache=cache, slot=0)[-1:]
    tokens = list[int]()
    while len(tokens) < max_len:
        logits, may_end = runner.logits(hidden), torch.tensor([len(tokens) >= min_len])
        if method == "ras":
            recent = torch.tensor([([-1] * HISTORY + tokens)[-HISTORY:]])
            drawn = ras(logits, columns, generators=[generator], recent=recent, may_end=may_end).columns
        else:
            drawn = top_k(logits, columns, generators=[generator], k=[sampling], may_end=may_end).columns
        token = int(drawn)
        if token == special["eoa"]:
            break
        tokens.append(token)
        if len(tokens) < max_len:
            position = len(prompt) + len(tokens) - 1
            hidden = runner.decode([token], cache=cache, slots=[0], lengths=[position])
    return [token - special["ats"] for token in tokens]


def run(golden: Golden) -> Iterator[CaseResult]:
    meta = golden.meta
    runner = make_runner(meta["config"], meta["salt"], meta["shapes"], meta["rows"])
    if "cases" not in golden:
        yield _logits(golden, runner)
        return
    blocks = list[list[int]]()
    for index, case in enumerate(golden.cases):
        prompt = build_prompt(case["prompt_text"], case["text"], case["prompt_speech"], meta["special"])
        if not blocks or prompt != blocks[-1]:
            yield _prompt_logits(golden, runner, block=len(blocks), prompt=prompt)
            blocks.append(prompt)
        result = Case("llm", f"{golden.name} {index} {case['method']} seed {case['seed']}")
        tokens = generate(
            runner,
            prompt,
            meta["special"],
            lengths=(case["min_len"], case["max_len"]),
            generator=torch.Generator().manual_seed(case["seed"]),
            method=case["method"],
            sampling=case["sampling"],
        )
        result.same("tokens", tokens, case["tokens"])
        yield result.result()


def _hidden(runner: LlmRunner, prompt: Sequence[int]) -> torch.Tensor:
    cache = KVCache(runner.config, slots=1, slot_length=len(prompt), dtype=runner.dtype, device=runner.device)
    return runner.prefill(prompt, cache=cache, slot=0)


def _logits(golden: Golden, runner: LlmRunner) -> CaseResult:
    case = Case("llm", golden.name)
    logits = runner.logits(_hidden(runner, golden["ids"].tolist()))
    case.close("last position", logits[-1], golden["logits_last"], atol=LOGITS_ATOL)
    case.close("all positions", logits[::7, ::97], golden["logits_sub"], atol=LOGITS_ATOL)
    return case.result()


def _prompt_logits(golden: Golden, runner: LlmRunner, *, block: int, prompt: Sequence[int]) -> CaseResult:
    case = Case("llm", f"{golden.name} prompt {block}")
    logits = runner.logits(_hidden(runner, prompt))
    first = golden.meta["special"]["ats"]
    case.close(
        "last position",
        logits[-1, golden[f"first{block}_idx"]],
        golden[f"first{block}_logits"],
        atol=LOGITS_ATOL,
    )
    case.close(
        "all positions",
        logits[:, first : first + 16],
        golden[f"first{block}_all_positions_sub"],
        atol=LOGITS_ATOL,
    )
    return case.result()
