"""The one reader of the environment.

Precedence: environment, then the PRESET file, then .env, then the default. An empty value counts as unset.
Relative paths are relative to the project folder, the working directory unless told otherwise. A file of its
configs/ stands in for the one of the same name that ships.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.cores import usable_cores
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.errors import StartupError, quote
from glm_tts_api.run_folder import GENERATION_VARIABLE, RunFolder
from glm_tts_api.setting_names import unknown_names
from glm_tts_api.setting_types import OPENAI_VOICE_NAMES, ZHIPU_VOICE_NAMES, Origins, VoiceAliases
from glm_tts_api.speech.admission import AdmissionConfig
from glm_tts_api.text.markup.lexicon import MOST_WORDS
from glm_tts_api.validation import Allowed, allowed_values
from glm_tts_api.voices.transcript import MAX_CHARACTERS
from glm_tts_api.voices.writer import StoreLimits

_HOST = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
BUNDLED_MODEL = Path(__file__).parent / "assets" / "mini"
SHIPPED_CONFIGS = Path(__file__).parent / "configs"  # in a clone a link to the configs/ at its top

# The rooms' own defaults stand once, there.
_LANES, _ENGINE, _RECORDINGS, _STORE = AdmissionConfig(), EngineConfig(), RecordingLimits(), StoreLimits()


class SettingsError(StartupError):
    """One line for every variable that does not hold: its name, its value, what is allowed."""


def _split_keys(value: Any) -> Any:
    """Raises ValueError if there is none: who sets API_KEYS does not want the server open to everyone."""
    if not isinstance(value, str):
        return value
    keys = tuple(key.strip() for key in value.split(",") if key.strip())
    if not keys or not all(key.isprintable() for key in keys):  # fit for a header
        raise ValueError
    return keys


def _printable(value: str) -> str:
    if not value.isprintable():  # unfit for a header
        raise ValueError
    return value


def _split_hosts(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    hosts = tuple(host.strip() for host in value.split(",") if host.strip())
    if not hosts or not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError
    return hosts


def _chunk_sizes(value: Any) -> Any:
    """Raises ValueError for the whole value: a part of it alone would tell less."""
    sizes = tuple(map(int, value.split(","))) if isinstance(value, str) else value
    if not all(1 <= size <= 1000 for size in sizes):
        raise ValueError
    return sizes


Concurrency = Annotated[int, Field(ge=1, le=1024)]
_SECONDS = (Field(ge=0.1, le=86400), Allowed("a number of seconds from 0.1 to 86400"))
Seconds = Annotated[float, *_SECONDS]


class Settings(BaseSettings):
    """Every setting, flat; the variable is the field's name in capitals."""

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
    min_replicas: Annotated[int, Field(ge=1, le=10_000)] = 1
    max_replicas: Annotated[int, Field(ge=1, le=10_000)] = 1
    cpu_threads: Annotated[int, Field(ge=1, le=1024)] = Field(default_factory=usable_cores)
    api_host: str = "0.0.0.0"
    port: Annotated[int, Field(ge=1, le=65535)] = 8049
    api_keys: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_split_keys),
        Allowed("keys of printable characters with commas between them"),
    ] = Field(default=(), repr=False)
    metrics_key: Annotated[str, BeforeValidator(_printable), Allowed("a key of printable characters")] = (
        Field(default="", repr=False)
    )
    allowed_hosts: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_split_hosts),
        Allowed(
            "host names without a port and with commas between them, .example.org for all below it, or *"
        ),
    ] = ()
    cors_origins: Origins = ()
    model_dir: Path | None = None
    device: Annotated[
        str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$"), Allowed("auto, cpu, cuda or cuda:N")
    ] = "auto"
    dtype: Literal["auto", "fp32", "bf16"] = "auto"
    weights: Literal["full", "int8"] = "full"
    flow_steps: Annotated[int, Field(ge=1, le=100)] = _ENGINE.flow_steps
    flow_dtype: Literal["fp32", "bf16"] = "fp32"
    deterministic: bool = False
    text_rules: Literal["default", "published"] = "default"
    max_text_length: Annotated[int, Field(ge=1, le=1_000_000)] = 20000
    max_upload_mb: Annotated[int, Field(ge=1, le=1024)] = 20
    prompt_min_seconds: Annotated[float, Field(ge=0.1, le=600)] = _RECORDINGS.min_s
    prompt_max_seconds: Annotated[float, Field(ge=0.1, le=600)] = _RECORDINGS.max_s
    prompt_max_characters: Annotated[int, Field(ge=1, le=10_000)] = MAX_CHARACTERS
    max_voices: Annotated[int, Field(ge=0, le=100_000)] = _STORE.n_voices
    max_voices_mb: Annotated[int, Field(ge=0, le=1_000_000)] = _STORE.n_bytes // 2**20
    max_lexicon_words: Annotated[int, Field(ge=0, le=1_000_000)] = MOST_WORDS
    stream_chunks: Annotated[
        tuple[int, ...],
        NoDecode,
        BeforeValidator(_chunk_sizes),
        Allowed("whole numbers from 1 to 1000 with commas between them"),
    ] = _ENGINE.stream_chunks
    stream_buffer_s: Annotated[float, Field(ge=1, le=600)] = _ENGINE.stream_buffer_s
    stream_stall_s: Seconds = 60
    stall_s: Seconds = _ENGINE.stall_s
    watchdog_s: Seconds = 120
    idle_unload_s: Annotated[float, Field(ge=0, le=31_536_000)] = 0
    openai_voices: VoiceAliases = tuple((name, "exampleA") for name in OPENAI_VOICE_NAMES)
    zhipu_voices: VoiceAliases = tuple((name, "exampleA") for name in ZHIPU_VOICE_NAMES)
    prompts_dir: Path = Path("data/prompts")
    drain_timeout: Annotated[float, Field(ge=0, le=86400)] = 60
    rolling_timeout: Annotated[float | None, *_SECONDS] = None
    verify_tts: bool = True
    verify_timeout: Seconds = 300
    restart_mode: Literal["stop", "rolling"] = "stop"
    run_dir: Path = Path("run")
    log_file: Path = Path("api_server.log")
    log_format: Literal["text", "json"] = "text"
    log_max_mb: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    log_backups: Annotated[int, Field(ge=1, le=1000)] = 5
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
        """Reads the environment and the files of the project folder `root`.

        Raises SettingsError with one line for each value that does not hold.
        """
        root = (root or Path.cwd()).absolute()
        _require_utf8(root / ".env")
        files = (root / ".env", *_preset_file(root))
        _require_utf8(files[-1])
        try:
            settings = cls(_env_file=files)  # type: ignore[call-arg]
        except ValidationError as error:
            raise SettingsError("\n".join(_line(details) for details in error.errors())) from None
        settings._root = root
        known = {"PRESET", *map(str.upper, cls.model_fields)}
        settings._warnings = unknown_names(known, os.environ, filter(Path.exists, files))
        if settings.cpu_threads > usable_cores():
            settings._warnings.append(
                f"CPU_THREADS={settings.cpu_threads} is more than this process has cores to use "
                f"({usable_cores()}): its threads will wait for one another; unset, it is that number."
            )
        if os.environ.get("FORWARDED_ALLOW_IPS") and not settings.api_keys:
            settings._warnings.append(
                "FORWARDED_ALLOW_IPS is set, so there is a proxy before this server: set API_KEYS too, for "
                "without keys whoever comes through a proxy may only speak, whatever address it claims."
            )
        if "*" in settings.cors_origins and not settings.api_keys:
            settings._warnings.append(
                "CORS_ORIGINS=* without API_KEYS: every web page that anyone opens who can reach this server "
                "may speak here and read its voices. Name the pages' origins, or set API_KEYS."
            )
        return settings

    @property
    def warnings(self) -> list[str]:
        """What does not keep the server from starting, but was hardly meant so; a sentence each."""
        return self._warnings

    def path(self, relative: Path | str) -> Path:
        """A path of the project folder; an absolute one stays as it is."""
        return self._root / Path(relative).expanduser()

    @property
    def configs_dir(self) -> Path:
        return self._root / "configs"

    @property
    def stop_timeouts(self) -> tuple[float, float]:
        """How long accepted requests may take when the server stops, and when another server has its port."""
        return self.drain_timeout, self.rolling_timeout or self.long_text_timeout

    @property
    def run_folder(self) -> RunFolder:
        number = int(os.environ.get(GENERATION_VARIABLE, "0"))
        return RunFolder(self.path(self.run_dir), self._root, number=number)

    @property
    def cache_dir(self) -> Path:
        """For what can be built again. Not in the user's home, which a service's user may not have."""
        return self.path(self.run_dir) / "cache"

    @property
    def checkpoint_dir(self) -> Path:
        """MODEL_DIR; unset: ./ckpt if it is there, however incomplete, else the bundled one."""
        if self.model_dir is not None:
            return self.path(self.model_dir)
        ckpt = self._root / "ckpt"
        return ckpt if ckpt.exists() else BUNDLED_MODEL

    @property
    def is_demonstration(self) -> bool:
        return self.checkpoint_dir.resolve() == BUNDLED_MODEL.resolve()


def _require_utf8(file: Path) -> None:
    """Raises SettingsError for a file that an editor has saved in another encoding (GBK, UTF-16)."""
    try:
        file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{file}: line {line} is not UTF-8; save the file as UTF-8") from None
    except OSError:
        pass  # none there, which is usual


def _preset_file(root: Path) -> tuple[Path, ...]:
    """The file that PRESET names, in the environment or in .env."""
    name = os.environ.get("PRESET") or dotenv_values(root / ".env").get("PRESET")
    if not name:
        return ()
    folders = (SHIPPED_CONFIGS, root / "configs")  # the later one wins
    presets = {path.stem: path for folder in folders for path in (folder / "presets").glob("*.env")}
    if name not in presets:
        choice = ", ".join(sorted(presets)) or "(configs/presets holds none)"
        raise SettingsError(f"PRESET='{quote(name)}': must be one of {choice}")
    return (presets[name],)


def _line(details: ErrorDetails) -> str:
    if not details["loc"]:
        return str(details["ctx"]["error"])
    name = str(details["loc"][0])
    field = Settings.model_fields[name]
    value = f"='{quote(str(details['input']))}'" if field.repr else ""  # a secret is not repeated
    return f"{name.upper()}{value}: must be {allowed_values(field)}"
