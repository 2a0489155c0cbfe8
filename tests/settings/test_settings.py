"""Where a setting comes from, what is allowed, and what `glm-tts check` says before a start."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from glm_tts_api.errors import StartupError
from glm_tts_api.settings import BUNDLED_MODEL, Settings
from glm_tts_api.settings.machine import usable_cores
from tests.settings.asking import REPOSITORY, printed, run


def test_every_setting_is_printed_and_the_checkpoint(tmp_path: Path) -> None:
    values = printed(tmp_path)
    assert [*values] == [*map(str.upper, Settings.model_fields), "CHECKPOINT_DIR"]
    assert (values["PORT"], values["VERIFY_TTS"], values["API_KEYS"]) == ("8049", "1", "")
    assert (values["CPU_THREADS"], values["CHECKPOINT_DIR"]) == (str(usable_cores()), str(BUNDLED_MODEL))


def test_environment_then_preset_then_env_file_then_default(root: Path) -> None:
    values = printed(root, PRESET="night", PORT="7001")
    assert (values["PORT"], values["WORKERS"], values["QUEUE_MAX_SIZE"]) == ("7001", "3", "5")
    assert (values["SHORT_TEXT_TIMEOUT"], values["LONG_TEXT_TIMEOUT"]) == ("70", "600")


def test_an_empty_value_counts_as_unset(root: Path) -> None:
    values = printed(root, PORT="", WORKERS="", SHORT_TEXT_CONCURRENCY="", PRESET="")
    assert (values["PORT"], values["WORKERS"], values["SHORT_TEXT_CONCURRENCY"]) == ("7003", "4", "15")
    (root / "configs" / "presets" / "night.env").write_text("PORT=\n")
    assert printed(root, PRESET="night")["PORT"] == "7003"


def test_the_env_file_may_name_the_preset(root: Path) -> None:
    (root / ".env").write_text("PRESET=night\nPORT=7003\n")
    assert printed(root)["PORT"] == "7002"


@pytest.mark.parametrize("file", [".env", "configs/presets/night.env"])
def test_a_file_in_another_encoding_is_named_with_its_line(
    root: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setenv("PRESET", "night")
    (root / file).write_bytes("PORT=7002\n# 夜间\n".encode("gbk"))
    with pytest.raises(StartupError, match=rf"{file}: line 2 is not UTF-8"):
        Settings.load(root)


@pytest.mark.parametrize("line", ["PORT 7002", "LOG_FILE='api.log", "= 3"])
def test_a_line_that_is_no_setting_is_named_with_its_file_and_a_remedy(root: Path, line: str) -> None:
    (root / ".env").write_text(f"WORKERS=2\n{line}\n")
    done = run(root, "settings")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert f"{root / '.env'}: line 2 is no setting: '{line}'. Write NAME=value" in done.stderr


def test_a_comment_an_export_and_a_bare_name_are_no_broken_lines(root: Path) -> None:
    (root / ".env").write_text("# PORT 7002\n\nexport PORT=7004\nWORKERS\n")
    assert printed(root)["PORT"] == "7004"


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("short-heavy", {"SHORT_TEXT_CONCURRENCY": "20", "LONG_TEXT_CONCURRENCY": "3", "WORKERS": "1"}),
        (
            "long-heavy",
            {
                "SHORT_TEXT_CONCURRENCY": "10",
                "LONG_TEXT_CONCURRENCY": "5",
                "LONG_TEXT_TIMEOUT": "900",
                "WORKERS": "1",
            },
        ),
        ("multi-gpu", {"SHORT_TEXT_CONCURRENCY": "15", "LONG_TEXT_CONCURRENCY": "5", "WORKERS": "4"}),
    ],
)
def test_the_guides_presets(preset: str, expected: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "configs").symlink_to(REPOSITORY / "configs")
    assert expected.items() <= printed(tmp_path, PRESET=preset).items()


HOSTS = "host names without a port and with commas between them, .example.org for all below it, or *"
ORIGINS = "origins like https://app.example.org with commas between them, or *"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("SHORT_TEXT_CONCURRENCY", "abc", "a whole number from 1 to 1024"),
        ("SHORT_TEXT_CONCURRENCY", "0", "a whole number from 1 to 1024"),
        ("WORKERS", "1.5", "a whole number from 1 to 64"),
        ("CPU_THREADS", "0", "a whole number from 1 to 1024"),
        ("PORT", "70000", "a whole number from 1 to 65535"),
        ("LONG_TEXT_TIMEOUT", "soon", "a number of seconds from 0.1 to 86400"),
        ("DEVICE", "tpu", "auto, cpu, cuda or cuda:N"),
        ("DTYPE", "fp16", "auto, fp32, bf16, int8 or fp8"),
        ("TEXT_RULES", "new", "default or published"),
        ("VERIFY_TTS", "maybe", "true or false"),
        ("PRESET", "day", "one of long-heavy, multi-gpu, night, short-heavy"),
        ("PROMPT_MIN_SECONDS", "40", "less than PROMPT_MAX_SECONDS=30"),
        ("MIN_REPLICAS", "2", "at most MAX_REPLICAS=1"),
        *(("ALLOWED_HOSTS", value, HOSTS) for value in ("https://tts.example.org", "a.org:8049", "*.a.org")),
        *(("CORS_ORIGINS", value, ORIGINS) for value in ("a.org", "https://a.org/page", "https://*.a.org")),
    ],
)
def test_a_bad_value_is_one_line(root: Path, name: str, value: str, allowed: str) -> None:
    (root / ".env").write_text(f"{name}={value}\n")
    with pytest.raises(StartupError) as error:
        Settings.load(root)
    assert str(error.value) == f"{name}='{value}': must be {allowed}"


def test_every_bad_value_has_its_line(root: Path) -> None:
    done = run(root, "check", PORT="x", WORKERS="y")
    assert done.returncode == 2
    assert [line.split("=")[0] for line in done.stderr.splitlines()] == ["WORKERS", "PORT"]


def test_keys_are_separated_by_commas_and_not_shown(root: Path) -> None:
    (root / ".env").write_text("API_KEYS= s3cret , t0ken,\n")
    settings = Settings.load(root)
    assert settings.api_keys == ("s3cret", "t0ken")
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [*(("API_KEYS", keys) for keys in (",,", " ", " , ", "s3cret,a\\tb", "a\\nb")), ("METRICS_KEY", "a\\tb")],
)
def test_keys_that_would_open_the_server_or_fit_no_header_are_refused_and_not_shown(
    root: Path, name: str, value: str
) -> None:
    (root / ".env").write_text(f'{name}="{value}"\n')
    done = run(root, "check", "port")
    assert done.returncode == 2
    assert re.fullmatch(f"{name}: must be a? ?keys? of printable characters.*\n", done.stderr)


def test_origins_are_spelt_as_browsers_do(root: Path) -> None:
    spelt = "https://Chat.Example/, http://localhost:3000,tauri://localhost"
    values = printed(root, CORS_ORIGINS=spelt)
    assert values["CORS_ORIGINS"] == "https://chat.example,http://localhost:3000,tauri://localhost"


def test_which_checkpoint(root: Path) -> None:
    assert Settings.load(root).checkpoint_dir == BUNDLED_MODEL
    assert Settings.load(root).is_demonstration
    (root / "ckpt").mkdir()  # empty: an error when it is looked at, never the bundled one in its place
    assert Settings.load(root).checkpoint_dir == root / "ckpt"
    assert not Settings.load(root).is_demonstration
    (root / ".env").write_text("MODEL_DIR=models/one\n")
    assert Settings.load(root).checkpoint_dir == root / "models" / "one"


def test_an_address_that_is_not_of_this_machine(root: Path) -> None:
    done = run(root, "check", "port", API_HOST="192.0.2.1", PORT="7010")
    assert done.returncode == 2
    assert done.stderr.startswith("API_HOST='192.0.2.1': must be an address of this machine")


def test_printed_numbers_are_such_that_a_shell_can_count_with(root: Path) -> None:
    values = printed(root, DRAIN_TIMEOUT="0.00001", LONG_TEXT_TIMEOUT="86400", PROMPT_MIN_SECONDS="0.25")
    assert values["DRAIN_TIMEOUT"] == "0.00001"
    assert (values["LONG_TEXT_TIMEOUT"], values["PROMPT_MIN_SECONDS"]) == ("86400", "0.25")


def test_printed_values_survive_a_shell(root: Path) -> None:
    done = run(root, "settings", RUN_DIR="a folder/it's $HOME")
    shell = subprocess.run(
        ["bash", "-c", f'{done.stdout}\nprintf %s "$RUN_DIR"'], capture_output=True, text=True, check=True
    )
    assert shell.stdout == "a folder/it's $HOME"
