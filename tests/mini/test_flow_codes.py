"""The flow's table of speech codes starts from the tokenizer's codebook."""

import torch
import torch.nn.functional as F

from scripts.mini.flow import code_vectors


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
