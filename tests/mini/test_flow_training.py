"""The start of the flow's training, and the mels that a trained flow teaches."""

import torch
import torch.nn.functional as F

from glm_tts_api.model.flow.dit import DiT
from mini.flow import SPREAD, calmed, code_vectors, flow_config, start
from mini.flow_data import Batch


def test_a_new_flow_takes_codes_for_alike_that_the_tokenizer_has_close_together() -> None:
    generator = torch.Generator().manual_seed(1)
    book = torch.randn(50, 12, generator=generator) * torch.linspace(0.01, 10, 12)
    book[7] = book[3] + 0.001 * book[9]
    vectors = code_vectors(book, 8)
    assert vectors.shape == (50, 8)
    alike = F.cosine_similarity(vectors[3], vectors[1:])
    assert set(alike.topk(2).indices.tolist()) == {2, 6}
    share = vectors[1:].var(0) / vectors[1:].var(0).sum()
    assert share.max() < 0.5  # no component rules the others, as the last dimension does in the book


def test_a_teacher_draws_the_mels_behind_a_prompt_towards_where_its_paths_go_from_the_noise() -> None:
    generator = torch.Generator().manual_seed(1)
    mel, noise = (torch.randn(2, 20, 80, generator=generator) for _ in range(2))
    teacher, direction = DiT(flow_config()), torch.linspace(-9, -2, 80)
    start(teacher, direction)  # its velocity is `direction` everywhere
    batch = Batch(
        mel, mel, torch.ones(2, 20, dtype=torch.long), torch.tensor([8, 0]), torch.ones(2, 192), None
    )
    drawn = calmed(teacher, batch, noise=noise, drop=torch.tensor([False, True])).mel
    assert torch.equal(drawn[0, :8], mel[0, :8])
    expected = (1 - SPREAD) * (noise + direction) + SPREAD * mel
    torch.testing.assert_close(drawn[0, 8:], expected[0, 8:], atol=0.05, rtol=0)  # products in bfloat16
    torch.testing.assert_close(drawn[1], expected[1], atol=0.05, rtol=0)
