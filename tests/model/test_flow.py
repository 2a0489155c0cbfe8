"""The flow's behaviour: masks, steps; its numbers are pinned by the golden vectors."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import pytest
import torch

from glm_tts_api.model.buckets import FRAME_MULTIPLE
from glm_tts_api.model.flow import FlowConfig, FlowInput, FlowMatching, FlowSampler
from glm_tts_api.model.graphs import GraphPool

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = FlowConfig(
    trans_dim=64, depth=2, heads=2, dim_head=32, text_emb_dim=48, conv_layers=2, text_vocab_size=99
)
ATOL = 1e-5  # other kernels, other order of addition


@pytest.fixture(scope="module")
def flow() -> FlowMatching:
    torch.manual_seed(0)
    flow = FlowMatching(SMALL)
    for name, parameter in flow.named_parameters():
        if "grn" in name:  # zeros at birth, which would hide the sum over time
            torch.nn.init.normal_(parameter, std=0.5)
    return flow.eval()


def _segment(n: int, *, prompt: int = 9, seed: int = 0) -> FlowInput:
    g = torch.Generator().manual_seed(1000 + seed)
    return FlowInput(
        tokens=torch.randint(0, 99, (n,), generator=g),
        speaker=torch.randn(192, generator=g),
        noise=torch.Generator().manual_seed(seed),
        prompt_tokens=torch.randint(0, 99, (prompt,), generator=g),
        prompt_mel=torch.randn(2 * prompt, 80, generator=g) - 5,
    )


@pytest.mark.parametrize(("n_tokens", "start"), [(5, 0), (23, 0), (55, 0), (40, 30)])
def test_a_segment_in_a_gpus_bucket_is_the_segment_alone(
    flow: FlowMatching, monkeypatch: pytest.MonkeyPatch, n_tokens: int, start: int
) -> None:
    """Of 28, 64 and 128 frames with its prompt, which two buckets hold exactly; and a window."""
    item = dataclasses.replace(_segment(n_tokens), noise=7, start=start)
    alone = flow.sample(item)
    monkeypatch.setitem(FRAME_MULTIPLE, "cpu", FRAME_MULTIPLE["cuda"])
    sampler = FlowSampler(flow, item)
    assert sampler.state.shape[1] in (64, 128)
    mel = flow.sample(item)
    assert mel.shape == alone.shape
    torch.testing.assert_close(mel, alone, atol=ATOL, rtol=0)


def test_captured_steps_of_a_bucket_keep_nothing_of_one_another(
    flow: FlowMatching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a CPU a captured step is the same code over tensors that it keeps, as a graph has them."""
    monkeypatch.setitem(FRAME_MULTIPLE, "cpu", FRAME_MULTIPLE["cuda"])
    captured, items = copy.deepcopy(flow), [dataclasses.replace(_segment(n), noise=n) for n in (5, 23, 30)]
    captured.capture(GraphPool(torch.device("cpu")), [64, 128], steps=3)
    assert len(captured.euler_step.captured) == len(captured.conditions.captured) == 2
    samplers = [FlowSampler(captured, item, steps=3) for item in items]
    for _ in range(3):
        for sampler in samplers:
            sampler.step()
    for item, sampler in zip(items, samplers, strict=True):
        assert torch.equal(sampler.mel(), flow.sample(item, steps=3))
    copied = copy.deepcopy(captured)
    assert not copied.euler_step.captured, "a copy has weights of its own"
    assert torch.equal(copied.sample(items[0], steps=3), flow.sample(items[0], steps=3))


def test_nothing_to_speak_is_refused(flow: FlowMatching) -> None:
    with pytest.raises(ValueError, match="at least one"):
        flow.sample(FlowInput(torch.empty(0, dtype=torch.int64), torch.ones(192), torch.Generator()))


OFFICIAL_YAML = """
flow: !new:flow.flow.Flow
    spkr_emb_adaLN: True
    speech_token_cfg: False
    remove_spkr_concat_condition: True
    mel_dim: 80
    mel_framerate: 50
    input_frame_rate: 25
"""


def test_the_official_yaml_is_read_as_data(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(OFFICIAL_YAML)
    assert FlowConfig.from_yaml(path) == FlowConfig()
    path.write_text(
        OFFICIAL_YAML + "    trans_dim: 256\n    depth: 6\n    vocab_size: 2048\n    other: !name:os.x {}\n"
    )
    assert FlowConfig.from_yaml(path) == FlowConfig(trans_dim=256, depth=6, text_vocab_size=2048)
    path.write_text(OFFICIAL_YAML + "    steps: 2\n")
    assert FlowConfig.from_yaml(path) == FlowConfig(steps=2)
    assert FlowConfig().steps == 10
    path.write_text(OFFICIAL_YAML + "    big_model: true\n")
    assert FlowConfig.from_yaml(path) == FlowConfig(trans_dim=1024, depth=22, heads=16)


@pytest.mark.parametrize(
    "broken", [{"speech_token_cfg": True}, {"trans_dim": 100}, {"heads": "12"}, {"depth": True}, {"steps": 0}]
)
def test_what_cannot_be_built_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="flow:"):
        FlowConfig.from_dict(broken)


def test_packed_weights_give_the_same_mel(flow: FlowMatching) -> None:
    packed = copy.deepcopy(flow).pack()
    assert sum(map(torch.numel, packed.parameters())) < sum(map(torch.numel, flow.parameters()))
    for n, prompt in ((12, 9), (31, 4), (5, 0), (20, 20)):
        mels = [model.sample(_segment(n, prompt=prompt, seed=n)) for model in (packed, flow)]
        assert mels[0].shape == (1, 80, 2 * n)
        torch.testing.assert_close(*mels, atol=ATOL, rtol=0)


def test_weights_in_bf16_round_no_more_than_pytorchs_own_autocast(flow: FlowMatching) -> None:
    halved, wanted = copy.deepcopy(flow).pack(torch.bfloat16), flow.sample(_segment(20))
    with torch.autocast("cpu", torch.bfloat16):
        error = (flow.sample(_segment(20)) - wanted).abs().mean()
    assert 0 < (halved.sample(_segment(20)) - wanted).abs().mean() < error


def test_a_window_s_frames_keep_the_noise_and_the_places_that_they_have_in_the_whole(
    flow: FlowMatching,
) -> None:
    whole = dataclasses.replace(_segment(40, prompt=9), noise=7)
    window = dataclasses.replace(whole, tokens=whole.tokens[15:], start=15)
    states = [FlowSampler(flow, item, steps=2).state[0] for item in (whole, window)]
    assert torch.equal(states[1][:18], states[0][:18])  # the prompt's
    assert torch.equal(states[1][18:], states[0][18 + 30 :])


def test_a_window_is_all_frames_of_its_tokens_and_nearly_those_of_the_whole(flow: FlowMatching) -> None:
    whole = dataclasses.replace(_segment(60, prompt=9), noise=7)
    window = dataclasses.replace(whole, tokens=whole.tokens[10:], start=10)
    mel, part = (flow.sample(item, steps=4) for item in (whole, window))
    assert part.shape[-1] == 2 * 50
    error = (part[..., 20:] - mel[..., 40:]).abs().mean()
    moved = dataclasses.replace(whole, tokens=whole.tokens[10:])  # as if the segment began there
    assert error < 0.5 * (flow.sample(moved, steps=4)[..., 20:] - mel[..., 40:]).abs().mean()
