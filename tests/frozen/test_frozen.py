"""What a server answers is as in the frozen table; `python -m tests.frozen compare` asks all of it."""

from __future__ import annotations

import pytest

from tests.frozen.table import CHAPTERS, PARTS, compare


@pytest.mark.parametrize("parts", [[*CHAPTERS, "openapi", "metrics"], ["readings"], ["settings"], ["help"]])
def test_all_is_as_in_the_table(parts: list[str]) -> None:
    assert set(parts) <= {*CHAPTERS, *PARTS}
    assert compare(parts, short=True) == []
