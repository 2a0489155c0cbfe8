"""Each step takes its number of cores, which changes nothing but time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.cores import Cores, IntraOpPool
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.model.flow import FlowConfig, FlowInput, FlowMatching
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.threads import at_most
from glm_tts_api.model.vocoder import HiFT, HiftConfig
from tests.engine import tiny


@pytest.fixture(autouse=True)
def threads_as_found() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def taken(n_cores: int, n_renders: int, *, decodes: bool, fixed: bool = False) -> tuple[int, int]:
    """Threads of a decode step and of each render's step."""
    cores = Cores(EngineConfig(threads=n_cores), lambda: n_renders, fixed=fixed)
    cores.decodes, cores.wide_decoding = decodes, True
    with cores.decode_step():
        of_decoding = torch.get_num_threads()
    with cores.render_step():
        return of_decoding, torch.get_num_threads()


def test_who_is_alone_takes_all_cores_and_neighbours_share() -> None:
    assert taken(2, 0, decodes=True)[0] == 2
    assert taken(2, 1, decodes=True) == (1, 1)
    assert taken(2, 1, decodes=False)[1] == 2
    assert taken(2, 2, decodes=False)[1] == 1
    assert taken(4, 1, decodes=False)[1] == 4
    assert taken(4, 2, decodes=False)[1] == 2
    assert taken(4, 1, decodes=True) == (2, 2)
    assert taken(4, 16, decodes=True) == (2, 1)


def test_nobody_gets_less_than_a_share_and_no_number_gives_other_bits() -> None:
    for n_cores, n_renders, decodes in product(range(1, 65), (0, 1, 2, 5), (True, False)):
        shares = taken(n_cores, n_renders, decodes=decodes, fixed=True)
        assert shares == (max(1, n_cores // 2), max(1, n_cores // 4))
        for n_threads, share in zip(taken(n_cores, n_renders, decodes=decodes), shares, strict=True):
            assert n_threads == share or (n_threads in (2, 4) and share in (1, 2))


def test_where_other_programs_use_the_cores_steps_keep_to_their_shares_for_a_while() -> None:
    cores = Cores(EngineConfig(threads=2), lambda: 1, fixed=False)
    assert cores.of_a_render == 2
    with cores.render_step():
        time.sleep(0.01)  # for a thread that has no core
    assert cores.of_a_render == 1
    while cores.of_a_render == 1:
        time.sleep(0.01)


class ByThreads(LlmRunner):
    """On a CPU whose products round by the number of threads."""

    def logits(self, hidden: Tensor, **options: Any) -> Tensor:
        return super().logits(hidden, **options) + 1e-6 * torch.get_num_threads()


def test_a_cpu_whose_bits_depend_on_threads_is_noticed_at_start(caplog: pytest.LogCaptureFixture) -> None:
    config = replace(tiny.CONFIG, threads=2)
    for runner, n_threads in ((LlmRunner, 2), (ByThreads, 1)):
        assert Token2Wav(tiny.tiny_models(runner), config).cores.of_a_render == n_threads
    (message,) = caplog.messages
    assert message.startswith("On this CPU the LLM has other bits on 2 threads than on one")


@pytest.mark.parametrize("n_cores", [2, 3, 4])
def test_branches_of_hift_side_by_side_say_the_same(n_cores: int) -> None:
    torch.manual_seed(0)
    hift = HiFT(HiftConfig(base_channels=64, f0_channels=16)).fold()
    mel = torch.randn(1, 80, 40) - 5
    alone = hift(mel, noise=1)
    hift.intra_op = IntraOpPool(Cores(EngineConfig(threads=n_cores), lambda: 1, fixed=False))
    assert torch.equal(hift(mel, noise=1), alone)


@pytest.mark.parametrize("n_cores", [1, 2, 4])
def test_the_flows_passes_side_by_side_say_the_same(n_cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a CPU with AMX units in bfloat16; here in float32, which any CPU has."""
    torch.manual_seed(0)
    config = FlowConfig(trans_dim=64, depth=1, heads=2, text_emb_dim=32, conv_layers=1, text_vocab_size=99)
    flow = FlowMatching(config).eval().pack()
    whole, window = (
        FlowInput(torch.arange(30), torch.ones(192), noise=1, prompt_tokens=torch.arange(9), start=start)
        for start in (0, 12)
    )
    together = [flow.sample(one, steps=3) for one in (whole, window)]
    monkeypatch.setattr("glm_tts_api.model.flow.sampler.rounds_by_blocks", lambda dtype: True)
    flow.pack()
    one_by_one = [flow.sample(one, steps=3) for one in (whole, window)]
    cores = Cores(
        EngineConfig(threads=n_cores), lambda: 1, fixed=False, most_of_a_flow_step=flow.most_threads
    )
    assert cores.all_for_one == (n_cores < 4)
    flow.intra_op = IntraOpPool(cores)
    with at_most(n_cores):
        apart = [flow.sample(one, steps=3) for one in (whole, window)]
    for mels in zip(together, one_by_one, apart, strict=True):
        torch.testing.assert_close(mels[1], mels[0], rtol=0, atol=1e-5)
        assert torch.equal(mels[2], mels[1])
