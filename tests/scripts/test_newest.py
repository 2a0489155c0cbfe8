"""The search of scripts/checks/newest.py for the packages that the tests fail with."""

from __future__ import annotations

import pytest

from scripts.checks.newest import causes

PACKAGES = [f"package-{number}" for number in range(20)]


@pytest.mark.parametrize("bad", [[], [0], [19], [7], [3, 12], [0, 1, 19]])
def test_every_package_that_is_a_cause_is_found_and_no_other(bad: list[int]) -> None:
    needed = {PACKAGES[number] for number in bad}
    trials: list[list[str]] = []

    def passes(kept: list[str]) -> bool:
        trials.append(kept)
        return needed <= set(kept)

    assert set(causes(PACKAGES, passes)) == needed
    assert len(trials) <= 1 + 6 * len(needed)
