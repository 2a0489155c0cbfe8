"""What the studio copies for a take makes the same take again, as it is pasted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from glm_tts_api.contracts import Voice
from tests.api.project_folder import project
from tests.api.running import running_app
from tests.api.tone_engine import ToneEngine

STUDIO = Path(__file__).parents[2] / "glm_tts_api/studio/static/js"
TEXT = 'It\'s "so" \\ $HOME `id` !x %s 你好。\n第二行😀'
DEFAULTS = {"seed": 42, "speed": 1, "sampleRate": 24000, "sampleMethod": "ras", "sampling": 25, "beamSize": 1}
PLAIN = {**DEFAULTS, "usePhoneme": False, "seed": 7, "speed": 1.25}
RICH = {
    **PLAIN,
    "sampleRate": 32000,
    "sampleMethod": "topk",
    "sampling": 9,
    "beamSize": 2,
    "usePhoneme": True,
    "loudness": -20,
}
MARKED = "我在[[重庆|chong2 qing4]]。"
PROGRAMS = {"curl": ["bash"], "python": [sys.executable, "-"], "javascript": ["node", "-"]}


def snippets(node: str, take: dict[str, Any], audio_format: str, base: str, keyed: bool) -> dict[str, str]:
    script = f"""
        import * as all from {json.dumps((STUDIO / "takes/snippets.js").as_uri())};
        const args = [{json.dumps(take)}, "{audio_format}", {json.dumps({"base": base, "keyed": keyed})}];
        const {{ curlSnippet: curl, pythonSnippet: python, javascriptSnippet: javascript }} = all;
        const made = Object.entries({{ curl, python, javascript }}).map(([name, f]) => [name, f(...args)]);
        console.log(JSON.stringify(Object.fromEntries(made)));
    """
    command = [node, "--input-type=module", "-e", script]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    made: dict[str, str] = json.loads(done.stdout)
    return made


def pasted(snippet: str, program: list[str], folder: Path, key: str | None) -> None:
    environ = {"PATH": os.environ["PATH"], "NO_PROXY": "*"} | ({"GLM_TTS_API_KEY": key} if key else {})
    done = subprocess.run(
        program,
        input=snippet.encode(),
        cwd=folder,
        env=environ,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (snippet, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("text", "options", "audio_format", "key"),
    [(TEXT, PLAIN, "wav", "secret"), (MARKED, RICH, "flac", None)],
    ids=["plain, with a key", "rich, without"],
)
def test_each_makes_the_take_again(
    node: str, tmp_path: Path, text: str, options: dict[str, Any], audio_format: str, key: str | None
) -> None:
    take = {"text": text, "inputType": "text", "voice": "exampleB", "options": options}
    root = project(tmp_path / "project", **({"api_keys": key} if key else {}))
    with running_app(root, lambda *_: ToneEngine()) as server:
        made = snippets(node, take, audio_format, f"{server.url}/", keyed=key is not None)
        files = []
        for name, program in PROGRAMS.items():
            assert "secret" not in made[name]
            assert ("GLM_TTS_API_KEY" in made[name]) is (key is not None)
            folder = tmp_path / name
            folder.mkdir()
            pasted(made[name], program, folder, key)
            files.append((folder / f"speech.{audio_format}").read_bytes())
        requests = server.engine.requests
    assert files[0] == files[1] == files[2]
    assert (
        len({(one.sampling, one.sample_rate, one.reading.use_phoneme, one.streams) for one in requests}) == 1
    )
    said = requests[0]
    assert isinstance(said.voice, Voice)
    assert (said.text, said.voice.name, said.sampling.seed) == (text, "exampleB", 7)
    assert (said.sample_rate, said.reading.use_phoneme) == (options["sampleRate"], options["usePhoneme"])
    assert (said.sampling.method, said.sampling.top_k) == (options["sampleMethod"], options["sampling"])
