"""The settings as each room's own small config."""

from __future__ import annotations

from dataclasses import replace

from glm_tts_api.api.app_state import WebConfig
from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.http.origin import machine_names
from glm_tts_api.settings import Settings
from glm_tts_api.speech.admission import AdmissionConfig

# %F0%9F%98%80 in a form, \\ud83d\\ude00 in JSON, and room for what stands beside it.
_BYTES_PER_CHARACTER = 16


def admission_config(settings: Settings) -> AdmissionConfig:
    return AdmissionConfig(
        short_limit=settings.short_text_concurrency,
        long_limit=settings.long_text_concurrency,
        threshold=settings.text_length_threshold,
        short_timeout_s=settings.short_text_timeout,
        medium_timeout_s=settings.medium_text_timeout,
        long_timeout_s=settings.long_text_timeout,
        queue_size=settings.queue_max_size,
    )


def beside_config(settings: Settings) -> AdmissionConfig:
    """Of the lanes of what is no speech: one request at a time in each, within the time of a speech."""
    return replace(admission_config(settings), short_limit=1, long_limit=1)


def web_config(settings: Settings) -> WebConfig:
    own_names = {settings.api_host.lower(), *map(str.lower, settings.allowed_hosts)}
    return WebConfig(
        workers=settings.workers,
        max_text_length=settings.max_text_length,
        stream_chunks=settings.stream_chunks,
        openai_voices=dict(settings.openai_voices),
        zhipu_voices=dict(settings.zhipu_voices),
        uploads_dir=settings.path(settings.prompts_dir) / "uploads",
        max_stored_bytes=settings.max_voices_mb * 2**20,
        max_upload_bytes=settings.max_upload_mb * 2**20,
        max_text_bytes=max(2**20, _BYTES_PER_CHARACTER * settings.max_text_length),
        prompt_limits=recording_limits(settings),
        max_prompt_characters=settings.prompt_max_characters,
        api_keys=settings.api_keys,
        metrics_key=settings.metrics_key,
        allowed_hosts=machine_names() | own_names,
        cors_origins=settings.cors_origins,
        is_demonstration=settings.is_demonstration,
        verify_token_file=settings.path(settings.run_dir) / "verify.token",
    )


def recording_limits(settings: Settings) -> RecordingLimits:
    return RecordingLimits(min_s=settings.prompt_min_seconds, max_s=settings.prompt_max_seconds)


def engine_config(settings: Settings) -> EngineConfig:
    """Every admitted request owns a decode row; the CPU's threads are divided among the workers."""
    return EngineConfig(
        n_slots=settings.short_text_concurrency + settings.long_text_concurrency,
        max_prompt_seconds=settings.prompt_max_seconds,
        flow_steps=settings.flow_steps,
        deterministic=settings.deterministic,
        stream_buffer_s=settings.stream_buffer_s,
        stall_s=settings.stall_s,
        stream_chunks=settings.stream_chunks,
        flow_bf16=settings.flow_dtype == "bf16",
        threads=max(1, settings.cpu_threads // settings.workers),
    )
