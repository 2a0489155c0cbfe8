"""scripts/download_model.sh, run for real against a hub on loopback."""

from __future__ import annotations

import io
import json
import math
import os
import random
import subprocess
import wave
from array import array
from pathlib import Path
from typing import Any

import pytest

from tests.fake_hub import FakeHub

PROJECT = Path(__file__).resolve().parents[2]
BIG = random.Random(1).randbytes(5_000_000)
MODEL = {
    "README.md": b"not wanted",
    "llm/config.json": b"{}",
    "llm/model-00001-of-00001.safetensors": BIG,
    "flow/flow.pt": b"flow" * 1000,
    "flow/config.yaml": b"flow: 1",
    "hift/hift.pt": b"hift" * 1000,
    "vocos2d/generator_jit.ckpt": b"vocos" * 1000,
    "speech_tokenizer/config.json": b"{}",
    "vq32k-phoneme-tokenizer/tokenizer.model": b"ranks",
    "vq32k-phoneme-tokenizer/tokenization_chatglm.py": b"not wanted either",
}
SPEAKER_ENCODER = {"campplus.onnx": b"onnx" * 1000, "llm.pt": b"not wanted"}
WANTED = sorted([*(path for path in MODEL if not path.endswith((".py", ".md"))), "frontend/campplus.onnx"])


def make_hub(**how: object) -> FakeHub:
    return FakeHub(
        {
            "zai-org/GLM-TTS": dict(MODEL),
            "ZhipuAI/GLM-TTS": dict(MODEL),
            "FunAudioLLM/CosyVoice-300M": SPEAKER_ENCODER,
            "iic/CosyVoice-300M": SPEAKER_ENCODER,
        },
        **how,  # type: ignore[arg-type]
    )


def download(hub: FakeHub, *arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "HF_ENDPOINT": hub.url,
        "MODELSCOPE_ENDPOINT": hub.url,
        "GITHUB_RAW_ENDPOINT": hub.url,
        "no_proxy": "*",
    }
    return subprocess.run(
        ["bash", PROJECT / "scripts/download_model.sh", *map(str, arguments)],
        env=environment,
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=120,
    )


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("source", ["huggingface", "modelscope"])
def test_brings_what_the_server_loads_and_nothing_else(tmp_path: Path, source: str) -> None:
    with make_hub().serving() as hub:
        result = download(hub, "--dir", tmp_path, "--source", source)
    assert result.returncode == 0, result.stderr
    assert files_in(tmp_path) == WANTED
    assert (tmp_path / "llm/model-00001-of-00001.safetensors").read_bytes() == BIG
    assert (tmp_path / "frontend/campplus.onnx").read_bytes() == SPEAKER_ENCODER["campplus.onnx"]
    assert "5.0 of 5.0 MB" in result.stdout


def test_a_broken_line_costs_only_what_had_not_arrived(tmp_path: Path) -> None:
    name = "llm/model-00001-of-00001.safetensors"
    with make_hub(breaks_at={name: 3_000_000}).serving() as hub:
        result = download(hub, "--dir", tmp_path)
        assert hub.ranges_of(name) == [None, "bytes=3000000-"]
    assert result.returncode == 0, result.stderr
    assert (tmp_path / name).read_bytes() == BIG


def test_a_second_run_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    """Half a file of this version is continued; half of another version, and a damaged file, come anew."""
    name = "llm/model-00001-of-00001.safetensors"
    for part, content in ((f"{name}.part", BIG[:4_000_000]), ("flow/flow.pt.part", b"other" * 100)):
        (tmp_path / part).parent.mkdir(parents=True)
        (tmp_path / part).write_bytes(content)
    with make_hub().serving() as hub:
        first = download(hub, "--dir", tmp_path)
        assert hub.ranges_of(name) == ["bytes=4000000-"]
        assert hub.ranges_of("flow/flow.pt") == ["bytes=500-", None]
        n_requests = len(hub.requests)
        second = download(hub, "--dir", tmp_path)
        assert len(hub.requests) == n_requests
        (tmp_path / "hift/hift.pt").write_bytes(b"HIFT" * 1000)
        third = download(hub, "--dir", tmp_path)
    assert [done.returncode for done in (first, second, third)] == [0, 0, 0], first.stderr + third.stderr
    assert f"{name}: is there" in second.stdout
    for path in (name, "flow/flow.pt", "hift/hift.pt"):
        assert (tmp_path / path).read_bytes() == MODEL[path]


@pytest.mark.parametrize(
    ("wrong", "code", "said", "left"),
    [
        (
            {"listed_sizes": {"flow/flow.pt": 5000}},
            1,
            "flow/flow.pt: the hub lists 5000 bytes, but the server sends 4000",
            ["flow/flow.pt.part"],
        ),
        ({"damaged": {"flow/config.yaml"}}, 1, "flow/config.yaml arrived damaged", []),
        ({"listed_sizes": {"flow/flow.pt": 10**18}}, 2, "GB free", []),
    ],
)
def test_what_is_wrong_with_a_file_is_said_and_leaves_none_in_its_place(
    tmp_path: Path, wrong: dict[str, Any], code: int, said: str, left: list[str]
) -> None:
    with make_hub(**wrong).serving() as hub:
        result = download(hub, "--dir", tmp_path)
        assert code == 1 or hub.requests == []
    assert result.returncode == code
    assert said in result.stderr
    (path,) = next(iter(wrong.values()))
    assert [name for name in files_in(tmp_path) if name.startswith(path)] == left


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("huggingface", "llm/../../outside"), ("modelscope", "flow/.."), ("huggingface", "hift/a\\..\\b"),
        ("modelscope", "llm/a\nb"),
    ],
)  # fmt: skip
def test_a_listing_that_leads_out_of_the_folder_is_refused(tmp_path: Path, source: str, path: str) -> None:
    hub = make_hub()
    for repository in ("zai-org/GLM-TTS", "ZhipuAI/GLM-TTS"):
        hub.repositories[repository][path] = b"evil"
    with hub.serving():
        result = download(hub, "--dir", tmp_path / "ckpt", "--source", source)
        assert hub.requests == []
    assert result.returncode == 1
    assert "lists a file with an impossible name" in result.stderr
    assert files_in(tmp_path) == []


def test_a_hub_that_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    with make_hub().serving() as hub:
        pass
    result = download(hub, "--dir", tmp_path)
    assert result.returncode == 1
    assert "cannot be reached" in result.stderr
    assert "Traceback" not in result.stderr


def tone(seconds: float) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        n_samples = int(16000 * seconds)
        samples = (int(9000 * math.sin(n / 16000 * 1382)) for n in range(n_samples))
        file.writeframes(array("h", samples).tobytes())
    return buffer.getvalue()


def voices_of_the_model() -> dict[str, bytes]:
    base = "/zai-org/GLM-TTS/main/examples"
    chinese = {
        "prompt_speech": "examples/prompt/speaker_zh.wav",
        "prompt_text": "他说的话。",
        "syn_text": "新的话。",
    }
    english = {"prompt_speech": "examples/prompt/speaker_en.wav", "prompt_text": "What she says."}
    outside = {"prompt_speech": "examples/prompt/../../secret.wav", "prompt_text": "x"}
    lines = [json.dumps(item, ensure_ascii=False).encode() for item in (chinese, chinese, english, outside)]
    return {
        f"{base}/prompt/LICENSE": b"Attribution-NonCommercial 4.0",
        f"{base}/example_zh.jsonl": b"\n".join(lines[:2]) + b"\n",
        f"{base}/example_en.jsonl": b"\n".join(lines[2:]) + b"\n",
        f"{base}/prompt/speaker_zh.wav": tone(2),
        f"{base}/prompt/speaker_en.wav": tone(3),
    }


def test_the_models_own_voices_come_only_with_consent_and_one_that_is_left_out_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts, raw = tmp_path / "prompts", voices_of_the_model()
    monkeypatch.setenv("PROMPTS_DIR", str(prompts))
    english = raw["/zai-org/GLM-TTS/main/examples/prompt/speaker_en.wav"]
    raw["/zai-org/GLM-TTS/main/examples/prompt/speaker_en.wav"] = b"no recording"
    with make_hub(raw=raw).serving() as hub:
        refused = download(hub, "--dir", tmp_path / "ckpt", "--with-voices", stdin="n\n")
        assert not prompts.exists()
        agreed = download(hub, "--dir", tmp_path / "ckpt", "--with-voices", "--yes")
        hub.raw["/zai-org/GLM-TTS/main/examples/prompt/speaker_en.wav"] = english
        again = download(hub, "--dir", tmp_path / "ckpt", "--with-voices", "--yes")
    assert (refused.returncode, agreed.returncode, again.returncode) == (2, 1, 0), again.stderr
    assert "Attribution-NonCommercial 4.0" in refused.stdout
    assert "voice speaker_zh: registered" in agreed.stdout
    assert "voice speaker_en: left out" in agreed.stdout
    assert "1 of 2 voices were left out" in agreed.stderr
    book = json.loads((prompts / "prompt_cache.json").read_text())
    assert {name: entry["prompt_text"] for name, entry in book.items()} == {
        "speaker_zh": "他说的话。",
        "speaker_en": "What she says.",
    }
