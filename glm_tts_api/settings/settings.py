"""Every setting with its default and its bounds, and the config of each package made from the settings.

Precedence: environment, then the PRESET file, then .env, then the default. An empty value counts as unset.
Relative paths are relative to the project folder, which is the working directory by default. A file in the
project folder's configs/ replaces the file of the same name that ships with the package.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from glm_tts_api.api.keys import Keys
from glm_tts_api.api.web_config import WebConfig
from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.contracts import Dtype
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.errors import quote
from glm_tts_api.longform.shelf import JobsConfig
from glm_tts_api.settings import types
from glm_tts_api.settings.contradictions import contradictions
from glm_tts_api.settings.machine import machine_names, usable_cores
from glm_tts_api.settings.names import unknown_names
from glm_tts_api.settings.sources import BUNDLED_MODEL, SettingsError, setting_files
from glm_tts_api.settings.types import Concurrency, Seconds
from glm_tts_api.speech.admission import AdmissionConfig
from glm_tts_api.validation import allowed_values
from glm_tts_api.voices.about import MAX_CHARACTERS
from glm_tts_api.voices.writer import StoreLimits

# A character takes up to 12 bytes (%F0%9F%98%80 in a form, \\ud83d\\ude00 in JSON); other fields need some.
_BYTES_PER_CHARACTER = 16
# A model step that takes a quarter of WATCHDOG_S counts as a stall; the engine then begins nothing new.
_STALLS_TO_THE_END = 4

# Defaults come from the packages' own configs, so that each is written only once.
_LANES, _ENGINE, _RECORDINGS, _STORE = AdmissionConfig(), EngineConfig(), RecordingLimits(), StoreLimits()
_JOBS = JobsConfig(Path())


class Settings(BaseSettings):
    """All settings. The environment variable of a setting is the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
        protected_namespaces=(),
    )
    _root: Path = PrivateAttr(default_factory=Path.cwd)
    _warnings: list[str] = PrivateAttr(default_factory=list)

    short_text_concurrency: Concurrency = _LANES.short_limit
    long_text_concurrency: Concurrency = _LANES.long_limit
    text_length_threshold: Annotated[int, Field(ge=1, le=1_000_000)] = _LANES.threshold
    short_text_timeout: Seconds = _LANES.short_timeout_s
    medium_text_timeout: Seconds = _LANES.medium_timeout_s
    long_text_timeout: Seconds = _LANES.long_timeout_s
    queue_max_size: Annotated[int, Field(ge=0, le=100_000)] = _LANES.queue_size
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    min_replicas: types.Replicas = 1
    max_replicas: types.Replicas = 1
    cpu_threads: Annotated[int, Field(ge=1, le=1024)] = Field(default_factory=usable_cores)
    api_host: str = "0.0.0.0"
    port: Annotated[int, Field(ge=1, le=65535)] = 8049
    api_keys: types.Keys = Field(default=(), repr=False)
    api_keys_file: Path | None = None
    metrics_key: types.Key = Field(default="", repr=False)
    allowed_hosts: types.Hosts = ()
    cors_origins: types.Origins = ()
    model_dir: Path | None = None
    device: types.Device = "auto"
    dtype: Dtype = "auto"
    flow_steps: Annotated[int | None, Field(ge=1, le=100)] = _ENGINE.flow_steps
    asr_model_dir: Path | None = None
    deterministic: bool = False
    text_rules: Literal["default", "published"] = "default"
    max_text_length: Annotated[int, Field(ge=1, le=1_000_000)] = 20000
    max_upload_mb: Annotated[int, Field(ge=1, le=1024)] = 20
    prompt_min_seconds: types.RecordingSeconds = _RECORDINGS.min_s
    prompt_max_seconds: types.RecordingSeconds = _RECORDINGS.max_s
    prompt_max_characters: Annotated[int, Field(ge=1, le=10_000)] = MAX_CHARACTERS
    max_voices_mb: Annotated[int, Field(ge=0, le=1_000_000)] = _STORE.n_bytes // 2**20
    recent_mb: Annotated[int, Field(ge=0, le=100_000)] = 64
    stream_chunks: types.ChunkSizes = _ENGINE.stream_chunks
    stream_start: Literal["gapless", "soonest"] = "gapless"
    guard: bool = _ENGINE.guard
    stream_stall_s: Seconds = 60
    watchdog_s: Seconds = _STALLS_TO_THE_END * _ENGINE.stall_s
    idle_unload_s: Annotated[float, Field(ge=0, le=31_536_000)] = 0
    voice_aliases: types.VoiceAliases = ()
    synthetic_mark: bool = True
    prompts_dir: Path = Path("data/prompts")
    jobs_dir: Path = Path("data/jobs")
    jobs_max_mb: Annotated[int, Field(ge=1, le=100_000_000)] = _JOBS.max_bytes // 2**20
    jobs_keep_days: Annotated[float, Field(ge=0, le=36_500)] = _JOBS.keep_s / 86400
    drain_timeout: Annotated[float, Field(ge=0, le=86400)] = 60
    rolling_timeout: Annotated[float | None, *types.SECONDS] = None
    verify_tts: bool = True
    verify_timeout: Seconds = 300
    restart_mode: Literal["stop", "rolling"] = "stop"
    run_dir: Path = Path("run")
    log_file: Path = Path("api_server.log")
    log_format: Literal["text", "json"] = "text"
    log_max_mb: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    log_text: bool = False

    @model_validator(mode="after")
    def _prompt_range(self) -> Settings:
        if self.prompt_min_seconds >= self.prompt_max_seconds:
            raise ValueError(
                f"PROMPT_MIN_SECONDS='{self.prompt_min_seconds:g}': must be less than "
                f"PROMPT_MAX_SECONDS={self.prompt_max_seconds:g}"
            )
        return self

    @model_validator(mode="after")
    def _replica_range(self) -> Settings:
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"MIN_REPLICAS='{self.min_replicas}': must be at most MAX_REPLICAS={self.max_replicas}"
            )
        return self

    @classmethod
    def load(cls, root: Path | None = None) -> Settings:
        """Reads the settings from the environment and from the files of the project folder `root`, which is
        the working directory by default.

        Raises SettingsError with one line for each invalid value.
        """
        root = (root or Path.cwd()).absolute()
        files = setting_files(root)
        try:
            settings = cls(_env_file=files)  # type: ignore[call-arg]
        except ValidationError as error:
            raise SettingsError("\n".join(_line(details) for details in error.errors())) from None
        settings._root = root
        settings.read_keys()  # raises SettingsError if they are invalid
        known = {"PRESET", *map(str.upper, cls.model_fields)}
        settings._warnings = [
            *unknown_names(known, os.environ, filter(Path.exists, files)),
            *contradictions(settings),
        ]
        return settings

    @property
    def warnings(self) -> list[str]:
        """One sentence for each setting with which the server can start, but which is probably a mistake."""
        return self._warnings

    def print_warnings(self) -> None:
        for warning in self._warnings:
            print(f"WARNING: {warning}", file=sys.stderr)

    def path(self, relative: Path | str) -> Path:
        """Makes a relative path absolute: it is relative to the project folder. An absolute path stays as it
        is. `~` becomes the user's home."""
        return self._root / Path(relative).expanduser()

    @property
    def root(self) -> Path:
        """The project folder."""
        return self._root

    @property
    def configs_dir(self) -> Path:
        return self._root / "configs"

    @property
    def log_path(self) -> Path:
        return self.path(self.log_file)

    @property
    def stop_timeouts(self) -> tuple[float, float]:
        """How many seconds accepted requests may still take: first, when the server stops; second, when
        another server has taken over its port."""
        return self.drain_timeout, self.rolling_timeout or self.long_text_timeout

    @property
    def cache_dir(self) -> Path:
        """The folder for files that can be built again. It is not in the home folder, because the user of a
        service may have none."""
        return self.path(self.run_dir) / "cache"

    @property
    def checkpoint_dir(self) -> Path:
        """The folder of the model: MODEL_DIR if it is set; else ckpt/ in the project folder if it exists,
        even if it is incomplete; else the bundled model."""
        if self.model_dir is not None:
            return self.path(self.model_dir)
        ckpt = self._root / "ckpt"
        return ckpt if ckpt.exists() else BUNDLED_MODEL

    @property
    def is_demonstration(self) -> bool:
        return self.checkpoint_dir.resolve() == BUNDLED_MODEL.resolve()

    @property
    def admission(self) -> AdmissionConfig:
        return AdmissionConfig(
            short_limit=self.short_text_concurrency,
            long_limit=self.long_text_concurrency,
            threshold=self.text_length_threshold,
            short_timeout_s=self.short_text_timeout,
            medium_timeout_s=self.medium_text_timeout,
            long_timeout_s=self.long_text_timeout,
            queue_size=self.queue_max_size,
        )

    @property
    def beside(self) -> AdmissionConfig:
        """The limits for work that is not speech, such as reading a text without speaking it. One request for
        a short text and one for a long text run at a time, with the time-outs of speech requests."""
        return replace(self.admission, short_limit=1, long_limit=1)

    @property
    def web(self) -> WebConfig:
        own_names = {self.api_host.lower(), *map(str.lower, self.allowed_hosts)}
        return WebConfig(
            workers=self.workers,
            max_text_length=self.max_text_length,
            voice_aliases=types.KNOWN_ALIASES | dict(self.voice_aliases),
            uploads_dir=self.path(self.prompts_dir) / "uploads",
            max_upload_bytes=self.max_upload_mb * 2**20,
            max_text_bytes=max(2**20, _BYTES_PER_CHARACTER * self.max_text_length),
            metrics_key=self.metrics_key,
            allowed_hosts=machine_names() | own_names,
            cors_origins=self.cors_origins,
            synthetic_mark=self.synthetic_mark,
            is_demonstration=self.is_demonstration,
            verify_token_file=self.path(self.run_dir) / "verify.token",
        )

    def read_keys(self) -> Keys:
        """Returns the API keys. Raises SettingsError if API_KEYS_FILE is invalid, or is set without
        API_KEYS."""
        if self.api_keys_file and not self.api_keys:
            raise SettingsError(
                f"API_KEYS_FILE='{quote(str(self.api_keys_file))}': needs API_KEYS too: a key of your own, "
                "with which restart_api.sh and status_api.sh ask the server"
            )
        try:
            return Keys(self.api_keys, self.api_keys_file and self.path(self.api_keys_file))
        except ValueError as error:
            raise SettingsError(str(error)) from None

    @property
    def key(self) -> str:
        """The key with which the programs of this machine ask the server; empty without API_KEYS."""
        return "".join(self.api_keys[:1])

    @property
    def recordings(self) -> RecordingLimits:
        return RecordingLimits(min_s=self.prompt_min_seconds, max_s=self.prompt_max_seconds)

    @property
    def store(self) -> StoreLimits:
        """The limits of the voice store: MAX_VOICES_MB megabytes, and one voice for each megabyte, because
        most recordings are smaller than that."""
        return StoreLimits(self.max_voices_mb, self.max_voices_mb * 2**20)

    @property
    def jobs(self) -> JobsConfig:
        return JobsConfig(
            self.path(self.jobs_dir),
            max_bytes=self.jobs_max_mb * 2**20,
            keep_s=self.jobs_keep_days * 86400,
        )

    @property
    def engine(self) -> EngineConfig:
        """The config of each engine. An engine has a decode row for every request that may be admitted
        (`n_slots`). If neither concurrency setting was set, the engine may have fewer rows where the memory
        is too small (`fewer_slots`). The CPU threads are divided among the workers."""
        return EngineConfig(
            n_slots=self.short_text_concurrency + self.long_text_concurrency,
            fewer_slots=not {"short_text_concurrency", "long_text_concurrency"} & self.model_fields_set,
            max_prompt_seconds=self.prompt_max_seconds,
            flow_steps=self.flow_steps,
            deterministic=self.deterministic,
            stall_s=self.watchdog_s / _STALLS_TO_THE_END,
            stream_chunks=self.stream_chunks,
            gapless_start=self.stream_start == "gapless",
            guard=self.guard,
            threads=max(1, self.cpu_threads // self.workers),
        )


def _line(details: ErrorDetails) -> str:
    if not details["loc"]:
        return str(details["ctx"]["error"])
    name = str(details["loc"][0])
    field = Settings.model_fields[name]
    value = f"='{quote(str(details['input']))}'" if field.repr else ""  # a secret is not repeated
    return f"{name.upper()}{value}: must be {allowed_values(field)}"
