"""The tiers of the suite: every test is in one, by its folder or its file (CONTRIBUTING.md)."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import groupby, zip_longest
from pathlib import Path

import pytest
from hypothesis import settings

TIERS = {
    "unit": "no process, no model: audio, deploy, l*, service, settings, speech*, stats, voices",
    "server": "real ports, and an engine that speaks tones",
    "model": "the mini, tiny models and goldens",
    "scripts": "the shell scripts, the wheel and the commands, each with servers of its own",
    "browser": "the studio in Chromium and Firefox",
    "cluster": "a real Ray",
    "soak": "the short forms of runs that take long, kills, and clients that mean harm",
    "long": "for scripts/test.sh long: engines that die under a whole server again and again, and more",
}
# The longest path that fits decides.
PLACES = {
    **dict.fromkeys(("audio", "deploy", "lexicon", "longform", "service"), "unit"),
    **dict.fromkeys(("settings", "simulation", "speech", "stats", "speech_text", "voices"), "unit"),
    "api": "server",
    "recognition": "unit",
    "deploy/test_dashboard.py": "server",
    "recognition/test_with_whisper.py": "long",
    **dict.fromkeys(("engine", "golden", "mini", "model"), "model"),
    "frozen": "model",
    "api/test_lanes_beside_speech.py": "model",
    "api/test_levels_of_a_script.py": "model",
    **dict.fromkeys(("api/test_idle_over_http.py", "api/test_memory_of_jobs.py"), "long"),
    **dict.fromkeys(("api/test_ended_engines.py", "gpu_fake"), "long"),
    **dict.fromkeys(("scripts/test_rolling_restart_cut.py", "scripts/test_upgrade.py"), "long"),
    "api/test_no_models_in_the_server.py": "model",
    "api/test_processes_of_engines.py": "model",
    "api/test_stalls.py": "model",
    "api/test_with_the_model.py": "model",
    "api/test_with_the_bundled_model.py": "model",
    **dict.fromkeys(("installed", "scripts"), "scripts"),
    **dict.fromkeys(("scripts/test_prose.py", "scripts/test_rooms.py"), "unit"),
    "studio": "browser",
    "studio/test_hearing.py": "long",
    "cluster": "cluster",
    "speech_text/test_torture.py": "soak",
    **dict.fromkeys(("api/test_connections.py", "api/test_hostile_bodies.py"), "soak"),
    **dict.fromkeys(("api/test_slow_readers.py", "api/test_tiny_pieces.py"), "soak"),
    **dict.fromkeys(("api/test_killed_jobs.py", "voices/test_killed_writer.py"), "soak"),
    **dict.fromkeys(("voices/test_as_a_model.py", "voices/test_concurrency.py"), "soak"),
}
WAITING = ("scripts", "browser", "cluster", "soak")  # for servers to start, to end, or to be killed
TESTS = Path(__file__).parent


def pytest_configure() -> None:
    """Imports of 400 files make many objects, none of them garbage: looks at them took half of the time.
    Hypothesis would fail an example that takes 0.2 s, which a busy machine takes for any."""
    gc.disable()
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    tiers = "; ".join(f"{name}: {meaning}" for name, meaning in TIERS.items())
    parser.addoption(
        "--tier", action="append", choices=[*TIERS], help=f"only tests of this tier (repeatable): {tiers}"
    )


@pytest.hookimpl(trylast=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files of other tiers are not even imported: those of models load torch."""
    if collection_path == TESTS or not (collection_path.is_dir() or collection_path.match("test_*.py")):
        return None
    tiers = tiers_in(collection_path)
    wanted = config.getoption("tier")
    return True if wanted and tiers.isdisjoint(wanted) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tiers of the longest files first, so that at the end no core waits for one of them. Files that
    mostly wait take turns with those that compute."""
    order = [*TIERS]
    items.sort(key=lambda item: order.index(tier_of(item.path)), reverse=True)
    files = [list(file) for _, file in groupby(items, key=lambda item: item.path)]
    waiting = [file for file in files if tier_of(file[0].path) in WAITING]
    computing = [file for file in files if tier_of(file[0].path) not in WAITING]
    for item in items:
        if tier_of(item.path) == "long":
            item.add_marker("long")
    items[:] = [item for turn in zip_longest(waiting, computing) for file in turn for item in file or ()]


def tiers_in(path: Path) -> set[str]:
    """Those of a file, or of a folder and all that is in it."""
    name = path.relative_to(TESTS).as_posix()
    return {tier_of(path)} | {tier for place, tier in PLACES.items() if place.startswith(f"{name}/")}


def tier_of(path: Path) -> str:
    """Raises pytest.UsageError where it has none."""
    name = path.relative_to(TESTS).as_posix()
    fitting = [place for place in PLACES if name == place or name.startswith(f"{place}/")]
    if not fitting:
        raise pytest.UsageError(f"tests/{name} is in no tier: name its folder in tests/conftest.py.")
    return PLACES[max(fitting, key=len)]


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """For many small operators of PyTorch: threads that wait for each other, beside other tests, take three
    times the CPU time."""
    import torch  # which most tests need not wait for

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
