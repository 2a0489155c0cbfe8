"""Every setting reaches the room that it is for."""

from __future__ import annotations

from pathlib import Path

from glm_tts_api.settings import Settings


def load(root: Path, **values: str) -> Settings:
    (root / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return Settings.load(root)


def test_every_limit_reaches_the_room_that_keeps_it(root: Path) -> None:
    admission = load(
        root,
        SHORT_TEXT_CONCURRENCY="7",
        LONG_TEXT_CONCURRENCY="3",
        TEXT_LENGTH_THRESHOLD="90",
        SHORT_TEXT_TIMEOUT="11",
        MEDIUM_TEXT_TIMEOUT="22",
        LONG_TEXT_TIMEOUT="33",
        QUEUE_MAX_SIZE="44",
    ).admission
    assert [admission.limits[admission.measure(n_chars).lane] for n_chars in (90, 91)] == [7, 3]
    assert [admission.measure(n_chars).timeout_s for n_chars in (50, 51, 91)] == [11, 22, 33]
    assert admission.queue_size == 44
    settings = load(
        root,
        WORKERS="3",
        MAX_TEXT_LENGTH="1000000",
        MAX_UPLOAD_MB="2",
        PROMPT_MIN_SECONDS="2.5",
        PROMPT_MAX_SECONDS="12",
        VOICE_ALIASES="nova=mine",
        API_KEYS="a,b",
        METRICS_KEY="m",
        ALLOWED_HOSTS="TTS.example.org",
        MAX_VOICES_MB="3",
        RUN_DIR="elsewhere",
    )
    web, recordings = settings.web, settings.recordings
    assert (web.workers, web.max_text_length, web.max_upload_bytes) == (3, 1_000_000, 2 * 2**20)
    assert (recordings.min_s, recordings.max_s) == (2.5, 12)
    assert settings.api_keys == ("a", "b")
    assert [web.voice_aliases[name] for name in ("nova", "alloy", "female")] == [
        "mine",
        "exampleA",
        "exampleA",
    ]
    assert web.metrics_key == "m"
    assert (settings.voice_store().room.n_voices, settings.voice_store().room.n_bytes) == (3, 3 * 2**20)
    assert "tts.example.org" in web.allowed_hosts
    longest_escaped = len("\\u4e2d") * web.max_text_length
    assert web.max_text_bytes > 2 * longest_escaped  # input_text and prompt_text as JSON may spell them
    assert load(root, MAX_TEXT_LENGTH="5").web.max_text_bytes == 2**20


def test_every_choice_for_the_engine_reaches_it(root: Path) -> None:
    engine = load(
        root,
        SHORT_TEXT_CONCURRENCY="7",
        LONG_TEXT_CONCURRENCY="3",
        PROMPT_MAX_SECONDS="12",
        FLOW_STEPS="4",
        DETERMINISTIC="1",
        CPU_THREADS="8",
        WORKERS="2",
    ).engine
    assert (engine.n_rows, engine.max_prompt_seconds) == (10, 12)
    assert not engine.fewer_rows, "they were set"
    assert (engine.flow_steps, engine.deterministic, engine.threads) == (4, True, 4)
    for name in ("SHORT_TEXT_CONCURRENCY", "LONG_TEXT_CONCURRENCY"):
        assert not load(root, **{name: "15"}).engine.fewer_rows, "also where it is the default's number"
    engine = load(root).engine
    assert (engine.n_rows, engine.fewer_rows) == (20, True)
    assert not engine.deterministic
    assert (engine.flow_steps, engine.max_prompt_seconds) == (None, 30)
    for cpu_threads, workers, each in (("8", "3", 2), ("1", "4", 1), ("2", "64", 1)):
        assert load(root, CPU_THREADS=cpu_threads, WORKERS=workers).engine.threads == each
