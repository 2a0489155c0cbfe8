"""The tiers of the suite: every test is in one, by its folder or its file (CONTRIBUTING.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

TIERS = {
    "unit": "no process, no model: audio, deploy, logs, settings, speech, stats, text, voices",
    "server": "real ports, and an engine that speaks tones",
    "model": "the mini, tiny models and goldens",
    "scripts": "the shell scripts, the wheel and the commands, each with servers of its own",
    "browser": "the studio in Chromium and Firefox",
    "cluster": "a real Ray",
    "soak": "the short forms of runs that take long",
}
# The longest path that fits decides.
PLACES = {
    **dict.fromkeys(("audio", "deploy", "logs", "settings", "speech", "stats", "text", "voices"), "unit"),
    "api": "server",
    **dict.fromkeys(("engine", "golden", "mini", "model"), "model"),
    "api/test_with_the_model.py": "model",
    "api/test_speech_socket_with_the_model.py": "model",
    **dict.fromkeys(("installed", "scripts"), "scripts"),
    "studio": "browser",
    "cluster": "cluster",
    "api/test_soak.py": "soak",
    "api/test_disconnects.py": "soak",
    "text/test_torture.py": "soak",
}
TESTS = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in TIERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(tier_of(item.path))


def tier_of(file: Path) -> str:
    """Raises pytest.UsageError for a folder without a tier."""
    path = file.relative_to(TESTS).as_posix()
    fitting = [place for place in PLACES if path == place or path.startswith(f"{place}/")]
    if not fitting:
        raise pytest.UsageError(f"tests/{path} is in no tier: name its folder in tests/conftest.py.")
    return PLACES[max(fitting, key=len)]
