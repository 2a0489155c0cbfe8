"""The flow's table of speech codes follows the tokenizer, which goes on learning."""

from pathlib import Path

import torch
import torch.nn.functional as F

from scripts.mini.flow import code_vectors, follow_codes


def test_a_new_flow_takes_codes_for_alike_that_the_tokenizer_has_close_together(tmp_path: Path) -> None:
    book = torch.randn(50, 8, generator=torch.Generator().manual_seed(1)) * torch.linspace(0.01, 10, 8)
    book[7] = book[3] + 0.001 * book[9]
    (tmp_path / "tokenizer").mkdir()
    torch.save({"encoder": {"codebook": book}}, tmp_path / "tokenizer" / "state.pt")
    table = torch.randn(52, 8)
    follow_codes(table, code_vectors(tmp_path), None)
    alike = F.cosine_similarity(table[3], table[1:50])
    assert alike.topk(2).indices.tolist() == [2, 6]
    assert abs(alike[torch.arange(49) % 4 == 0].mean()) < 0.3  # no dimension rules the others


def test_what_a_flow_learned_stays_when_a_code_moves() -> None:
    codes = torch.randn(6, 4)
    table = torch.randn(7, 4)
    follow_codes(table, codes, None)
    learned = torch.randn(7, 4)
    table += learned
    moved = codes.clone()
    moved[2] += 1
    before = table.clone()
    follow_codes(table, moved, codes)
    torch.testing.assert_close(table - before, F.one_hot(torch.tensor(2), 7).float()[:, None].repeat(1, 4))
