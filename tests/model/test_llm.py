"""Our Llama against transformers'."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from glm_tts_api.model.llm import Llama, LlmConfig

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

SHAPES = {
    "grouped, head_dim apart from hidden/heads": {"num_key_value_heads": 2, "head_dim": 32},
    "one group each, untied": {"num_key_value_heads": 4, "head_dim": 16, "tie_word_embeddings": False},
}


def _pair(**sizes: object) -> tuple[Llama, LlamaForCausalLM]:
    from transformers import LlamaConfig, LlamaForCausalLM  # seconds, which only this test's process needs

    raw = {
        "vocab_size": 97, "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 3,
        "num_attention_heads": 4, "max_position_embeddings": 256, "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True, **sizes,
    }  # fmt: skip
    torch.manual_seed(1)
    theirs = LlamaForCausalLM(LlamaConfig(**raw)).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    ours = Llama(LlmConfig.from_dict(raw))
    state = {
        k: v for k, v in theirs.state_dict().items() if not (raw["tie_word_embeddings"] and "lm_head" in k)
    }
    ours.load_state_dict(state)
    return ours.eval(), theirs


@pytest.mark.parametrize("sizes", SHAPES.values(), ids=SHAPES.keys())
def test_logits_and_gradients_equal_transformers(sizes: dict[str, object]) -> None:
    ours, theirs = _pair(**sizes)
    ids = torch.randint(0, 97, (3, 40), generator=torch.Generator().manual_seed(0))
    mine, reference = ours.logits(ours(ids)), theirs(ids).logits
    torch.testing.assert_close(mine, reference, atol=2e-4, rtol=1e-4)
    mine.square().mean().backward()
    reference.square().mean().backward()
    expected = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, expected[name].grad, atol=2e-3, rtol=1e-3)


def test_config_comes_from_hugging_face_json(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2,
                                "rope_parameters": {"rope_theta": 5000.0}, "head_dim": None}))  # fmt: skip
    config = LlmConfig.from_json(path)
    assert (config.head_dim, config.rope_theta, config.group_size, config.vocab_size) == (
        16,
        5000.0,
        2,
        98304,
    )
    assert config.longest_segment == 60
    path.write_text(json.dumps({"longest_segment": 36}))
    assert LlmConfig.from_json(path).longest_segment == 36


@pytest.mark.parametrize(
    "raw",
    [{"hidden_act": "gelu"}, {"attention_bias": True}, {"rope_scaling": {"rope_type": "llama3"}},
     {"num_key_value_heads": 3}, {"hidden_size": 0}, {"longest_segment": 8}, {"longest_segment": 61}],
)  # fmt: skip
def test_an_unsupported_config_is_refused(raw: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="llm:"):
        LlmConfig.from_dict(raw)
