"""What does not keep the server from starting, but was hardly meant so."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from glm_tts_api.settings import Settings
from glm_tts_api.settings.warnings import REMOVED
from tests.settings.asking import run


def test_every_origin_without_keys_is_a_warning(root: Path) -> None:
    for origins, keys, warned in (("*", "", True), ("*", "secret", False), ("https://a.example", "", False)):
        done = run(root, "settings", CORS_ORIGINS=origins, API_KEYS=keys)
        assert ("CORS_ORIGINS=* without API_KEYS" in done.stderr) == warned


def test_a_proxy_without_keys_is_a_warning(root: Path) -> None:
    for keys in ("", "secret"):
        done = run(root, "settings", FORWARDED_ALLOW_IPS="*", API_KEYS=keys)
        assert done.returncode == 0
        assert ("set API_KEYS" in done.stderr) == (not keys)


MISSPELT = {
    "MAX_TEXT_LENGHT": "MAX_TEXT_LENGTH",
    "SHORT_TEXT_CONCURENCY": "SHORT_TEXT_CONCURRENCY",
    "LOGFLE": "LOG_FILE",
    "WORKER": "WORKERS",
    "max_upload_mbs": "MAX_UPLOAD_MB",
    "API_KEY": "API_KEYS",
}


@pytest.mark.parametrize("command", ["check", "settings"])
def test_a_misspelt_name_in_the_environment_is_a_warning(tmp_path: Path, command: str) -> None:
    names = dict.fromkeys(MISSPELT, "7")
    done = run(tmp_path, command, **names, PORT="7012", API_HOST="127.0.0.1", DEVICE="cpu")
    assert done.returncode == 0
    assert sorted(done.stderr.splitlines()) == sorted(
        f"WARNING: {name} in the environment is not a setting and has no effect; did you mean {meant}?"
        for name, meant in MISSPELT.items()
    )


def test_a_setting_of_an_earlier_version_is_a_warning_that_says_what_stands_for_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("stall_s=8\nPORT=7012\n")
    done = run(tmp_path, "settings", **dict.fromkeys(REMOVED, "7"))
    assert done.returncode == 0
    begun = "is a setting no more and has no effect:"
    assert sorted(done.stderr.splitlines()) == sorted(
        [
            f"WARNING: stall_s in .env {begun} {REMOVED['STALL_S']}.",
            *(f"WARNING: {name} in the environment {begun} {instead}." for name, instead in REMOVED.items()),
        ]
    )
    known = {name.upper() for name in Settings.model_fields}
    named = set(re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", " ".join(REMOVED.values())))
    assert {"LONG_TEXT_TIMEOUT", "VOICE_ALIASES"} <= named <= known
    assert "set DTYPE=int8" in REMOVED["WEIGHTS"]


def test_what_machines_set_for_other_programs_is_no_warning(tmp_path: Path) -> None:
    others = (
        "HOST",
        "PATH",
        "HOME",
        "TERM",
        "PROMPT_DIRTRIM",
        "LOG_LEVEL",
        "TIMEOUT",
        "XDG_CACHE_HOME",
        "KEYS",
    )
    done = run(tmp_path, "settings", **dict.fromkeys(others, os.environ["PATH"]))
    assert (done.returncode, done.stderr) == (0, "")


def test_in_the_projects_own_files_every_unknown_name_is_a_warning(root: Path) -> None:
    (root / ".env").write_text("MAX_TEXT_LENGHT=5\nexport HF_TOKEN=x\nport=7003\nPRESET=night\n")
    (root / "configs/presets/night.env").write_text("PORT=7002\nUNKNOWN=1\n")
    assert Settings.load(root).warnings == [
        "MAX_TEXT_LENGHT in .env is not a setting and has no effect; did you mean MAX_TEXT_LENGTH?",
        "HF_TOKEN in .env is not a setting and has no effect.",
        "UNKNOWN in night.env is not a setting and has no effect.",
    ]
    assert Settings.load(root).port == 7002
