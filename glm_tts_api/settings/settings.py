"""Every setting with its default and its bounds, and the config of each package made from the settings.

Precedence: environment, then the PRESET file, then .env, then the default. An empty value counts as unset.
Relative paths are relative to the project folder, which is the working directory by default. A file in the
project folder's configs/ replaces the file of the same name that ships with the package.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from glm_tts_api.api.keys import Keys
from glm_tts_api.api.web_config import WebConfig
from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.contracts import Dtype
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.errors import StartupError, quote
from glm_tts_api.longform.shelf import JobsConfig
from glm_tts_api.settings import types
from glm_tts_api.settings.machine import machine_names, usable_cores
from glm_tts_api.settings.types import Concurrency, Seconds
from glm_tts_api.settings.warnings import contradictions, unknown_names
from glm_tts_api.stats.lanes import LANES, AdmissionConfig
from glm_tts_api.validation import allowed_values
from glm_tts_api.voices.store import VoiceStore
from glm_tts_api.voices.writer import StoreLimits

_PACKAGE = Path(__file__).parents[1]
BUNDLED_MODEL = _PACKAGE / "assets" / "mini"
SHIPPED_CONFIGS = _PACKAGE / "configs"  # in a clone, a link to the top folder configs/
VERIFY_TOKEN = "GLM_TTS_VERIFY_TOKEN"  # in the environment of a server that a restart has started and checks
# A character takes up to 12 bytes (%F0%9F%98%80 in a form, \\ud83d\\ude00 in JSON); other fields need some.
_BYTES_PER_CHARACTER = 16

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

    short_text_concurrency: Concurrency = _LANES.limits["short_text"]
    long_text_concurrency: Concurrency = _LANES.limits["long_text"]
    text_length_threshold: Annotated[int, Field(ge=1, le=1_000_000)] = _LANES.threshold
    short_text_timeout: Seconds = _LANES.timeouts_s["short_text"]
    medium_text_timeout: Seconds = _LANES.timeouts_s["medium_text"]
    long_text_timeout: Seconds = _LANES.timeouts_s["long_text"]
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
    max_voices_mb: Annotated[int, Field(ge=0, le=1_000_000)] = _STORE.n_bytes // 2**20
    idle_unload_s: Annotated[float, Field(ge=0, le=31_536_000)] = 0
    voice_aliases: types.VoiceAliases = ()
    prompts_dir: Path = Path("data/prompts")
    jobs_dir: Path = Path("data/jobs")
    jobs_max_mb: Annotated[int, Field(ge=1, le=100_000_000)] = _JOBS.max_bytes // 2**20
    jobs_keep_days: Annotated[float, Field(ge=0, le=36_500)] = _JOBS.keep_s / 86400
    drain_timeout: Annotated[float, Field(ge=0, le=86400)] = 60
    verify_tts: bool = True
    verify_timeout: Seconds = 300
    restart_mode: Literal["stop", "rolling"] = "stop"
    run_dir: Path = Path("run")
    log_file: Path = Path("api_server.log")
    log_format: Literal["text", "json"] = "text"
    log_text: bool = False

    @model_validator(mode="after")
    def _ranges(self) -> Settings:
        low, high = self.prompt_min_seconds, self.prompt_max_seconds
        if low >= high:
            raise ValueError(f"PROMPT_MIN_SECONDS='{low:g}': must be less than PROMPT_MAX_SECONDS={high:g}")
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"MIN_REPLICAS='{self.min_replicas}': must be at most MAX_REPLICAS={self.max_replicas}"
            )
        return self

    @classmethod
    def load(cls, root: Path | None = None, *, warns: bool = False) -> Settings:
        """Reads the settings from the environment and from the files of the project folder `root`, which is
        the working directory by default. With `warns`, prints the warnings to stderr.

        Raises StartupError with one line for each invalid value.
        """
        root = (root or Path.cwd()).absolute()
        files = _setting_files(root)
        try:
            settings = cls(_env_file=files)  # type: ignore[call-arg]
        except ValidationError as error:
            raise StartupError("\n".join(_line(details) for details in error.errors())) from None
        settings._root = root
        settings.read_keys()  # raises StartupError if they are invalid
        known = {"PRESET", *map(str.upper, cls.model_fields)}
        settings._warnings = [
            *unknown_names(known, os.environ, filter(Path.exists, files)),
            *contradictions(settings),
        ]
        for warning in settings.warnings if warns else ():
            print(f"WARNING: {warning}", file=sys.stderr)
        return settings

    @property
    def warnings(self) -> list[str]:
        """One sentence for each setting with which the server can start, but which is probably a mistake."""
        return self._warnings

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
        return self.drain_timeout, self.long_text_timeout

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
            limits={lane: getattr(self, f"{lane}_concurrency") for lane in LANES},
            threshold=self.text_length_threshold,
            timeouts_s={texts: getattr(self, f"{texts}_timeout") for texts in _LANES.timeouts_s},
            queue_size=self.queue_max_size,
        )

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
            is_demonstration=self.is_demonstration,
            verify_token=os.environ.get(VERIFY_TOKEN, ""),
        )

    def read_keys(self) -> Keys:
        """Returns the API keys. Raises StartupError if API_KEYS_FILE is invalid, or is set without
        API_KEYS."""
        if self.api_keys_file and not self.api_keys:
            raise StartupError(
                f"API_KEYS_FILE='{quote(str(self.api_keys_file))}': needs API_KEYS too: a key of your own, "
                "with which restart_api.sh and status_api.sh ask the server"
            )
        try:
            return Keys(self.api_keys, self.api_keys_file and self.path(self.api_keys_file))
        except ValueError as error:
            raise StartupError(str(error)) from None

    @property
    def key(self) -> str:
        """The key with which the programs of this machine ask the server; empty without API_KEYS."""
        return "".join(self.api_keys[:1])

    @property
    def recordings(self) -> RecordingLimits:
        return RecordingLimits(min_s=self.prompt_min_seconds, max_s=self.prompt_max_seconds)

    def voice_store(self) -> VoiceStore:
        """Opens the voices. MAX_VOICES_MB limits the megabytes of recordings, and the number of voices too,
        because most recordings are smaller than a megabyte."""
        return VoiceStore(
            self.configs_dir / "prompt_cache.json",
            self.path(self.prompts_dir),
            limits=self.recordings,
            room=StoreLimits(self.max_voices_mb, self.max_voices_mb * 2**20),
            bundled=BUNDLED_MODEL / "prompts",
            default=SHIPPED_CONFIGS / "prompt_cache.json",
        )

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
        (`n_rows`). If neither concurrency setting was set, the engine may have fewer rows where the memory
        is too small (`fewer_rows`). The CPU threads are divided among the workers."""
        return EngineConfig(
            n_rows=sum(self.admission.limits.values()),
            fewer_rows=not {f"{lane}_concurrency" for lane in LANES} & self.model_fields_set,
            max_prompt_seconds=self.prompt_max_seconds,
            flow_steps=self.flow_steps,
            deterministic=self.deterministic,
            threads=max(1, self.cpu_threads // self.workers),
        )


def _line(details: ErrorDetails) -> str:
    if not details["loc"]:
        return str(details["ctx"]["error"])
    name = str(details["loc"][0])
    field = Settings.model_fields[name]
    value = f"='{quote(str(details['input']))}'" if field.repr else ""  # a secret is not repeated
    return f"{name.upper()}{value}: must be {allowed_values(field)}"


def _setting_files(root: Path) -> tuple[Path, ...]:
    """Returns the files that hold settings: .env in the project folder `root`, even if it does not exist, and
    the file of the preset if PRESET names one.

    Raises StartupError for an unknown preset, and for a file that cannot be read as settings.
    """
    _require_readable(root / ".env")
    files = (root / ".env", *_preset_file(root))
    _require_readable(files[-1])
    return files


def _require_readable(file: Path) -> None:
    """Raises StartupError if the file is not UTF-8, because an editor has saved it as GBK or UTF-16, or if
    one of its lines is no setting."""
    try:
        with file.open(encoding="utf-8") as text:
            broken = next((line for line in parse_stream(text) if line.error), None)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise StartupError(f"{file}: line {line} is not UTF-8; save the file as UTF-8") from None
    except OSError:
        return  # there is no such file, which is usual
    if broken is not None:
        raise StartupError(
            f"{file}: line {broken.original.line} is no setting: '{quote(broken.original.string.strip())}'. "
            "Write NAME=value, with a quote at both ends or none, or begin the line with #"
        )


def _preset_file(root: Path) -> tuple[Path, ...]:
    """Returns the file of the preset that PRESET names, in the environment or in .env, as a tuple of one. The
    tuple is empty if PRESET is unset. Raises StartupError for an unknown name."""
    name = os.environ.get("PRESET") or dotenv_values(root / ".env").get("PRESET")
    if not name:
        return ()
    folders = (SHIPPED_CONFIGS, root / "configs")  # the later one wins
    presets = {path.stem: path for folder in folders for path in (folder / "presets").glob("*.env")}
    if name not in presets:
        choice = ", ".join(sorted(presets)) or "(configs/presets holds none)"
        raise StartupError(f"PRESET='{quote(name)}': must be one of {choice}")
    return (presets[name],)
