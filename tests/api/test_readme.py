"""Examples of the README and of the pages behind it run as they stand, in English. The Chinese pages have the
same ones. No error code or header is left out, and docs/architecture.md says the moves of a request
and the order of the rooms as the code has them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from glm_tts_api.api.dialects import status_of
from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.errors import ServiceError
from glm_tts_api.speech.life import MOVES
from tests.api.running import Running
from tests.api.socket_client import TONE_BYTES
from tests.recordings import voice_wav

ROOT = Path(__file__).parents[2]
LANGUAGES = ("", "_zh")
TWINS = sorted(path.relative_to(ROOT) for path in (*ROOT.glob("*_zh.md"), *ROOT.glob("docs/*_zh.md")))
CURL_PAGES = ("README", *(f"docs/{page}" for page in ("api", "clients", "voices", "operations", "metrics")))
PROGRAM_PAGES = ("README", "docs/api", "docs/clients")
OF_OTHERS = re.compile(r"(elevenlabs|livekit|pipecat|agents)\b")  # scripts/checks/test_clients.sh runs these
ABSTRACT = {"bad_request", "unavailable"}  # only their kinds are raised
SERVER = "http://localhost:8049"


def curl_lines(text: str) -> list[str]:
    """The curl commands of the shell blocks that ask the server, in their order, without a player behind."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line.partition(" | ffplay")[0] for line in lines if line.startswith("curl ") and SERVER in line]


def text_of(page: str, language: str = "") -> str:
    return (ROOT / f"{page}{language}.md").read_text()


@pytest.mark.parametrize("twin", TWINS, ids=str)
def test_both_languages_show_the_same_blocks(twin: Path) -> None:
    """But for their comments."""

    def blocks(page: Path) -> list[str]:
        found = re.findall(r"^```\w*\n.*?^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
        return [re.sub(r"(^|  +)# .*", "", block, flags=re.MULTILINE) for block in found]

    assert blocks(twin.with_name(twin.name.replace("_zh", ""))) == blocks(twin)


def ran(line: str, server: Running, folder: Path) -> str:
    """The output of a curl line."""
    line = line.replace(SERVER, server.url).replace("curl ", "curl --noproxy '*' --fail-with-body ")
    command = ["bash", "-euo", "pipefail", "-c", line]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, (line, done.stdout[:400], done.stderr)
    return done.stdout.decode(errors="replace")


def test_the_curl_lines_run_as_they_stand(server: Running, tmp_path: Path) -> None:
    for name in ("my_voice.wav", "glad.wav"):
        (tmp_path / name).write_bytes(voice_wav(3.0))
    lines = [line for page in CURL_PAGES for line in curl_lines(text_of(page))]
    for part in ("-X PUT", "-X DELETE", "application/json", "prompt_audio=@", "stream=true", "/metrics"):
        assert any(part in line for line in lines), part
    for line in lines:
        ran(line, server, tmp_path)
    for wav in tmp_path.glob("*.wav"):
        assert wav.read_bytes().startswith(b"RIFF"), wav


def blocks(language: str, *pages: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", "".join(map(text_of, pages)), re.DOTALL)


@pytest.mark.parametrize(
    "program", [each for each in blocks("python", *PROGRAM_PAGES) if not OF_OTHERS.search(each)]
)
def test_the_programs_run_as_they_stand(server: Running, tmp_path: Path, program: str) -> None:
    (tmp_path / "my_voice.wav").write_bytes(voice_wav(4.0))
    program = program.replace(SERVER, server.url)
    environ = {**os.environ, "NO_PROXY": "*", "no_proxy": "*"}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environ, timeout=60, check=True)
    (written,) = tmp_path.glob("hello.*")
    if written.suffix == ".pcm":
        assert len(written.read_bytes()) == TONE_BYTES
    else:
        assert len(decode_audio(written.read_bytes(), RecordingLimits(min_s=0.1)).samples)
    with server.client() as client:
        assert client.get("/api/v1/prompts").json()["count"] == 2, "what was added is deleted again"


def test_legados_source_plays(server: Running) -> None:
    (source,) = map(json.loads, blocks("json", "docs/clients"))
    address = source["url"].replace("http://192.168.1.20:8049", "")
    address = address.replace("{{java.encodeURI(speakText)}}", "%E4%BD%A0%E5%A5%BD")
    address = address.replace("{{Math.min(speakSpeed / 10, 4)}}", "1.5")
    assert "{" not in address
    with server.client() as client:
        answer = client.get(address, headers=json.loads(source["header"]))
    assert answer.status_code == 200, answer.text
    assert re.fullmatch(source["contentType"], answer.headers["Content-Type"])


def test_xiaozhis_settings_reach_routes_that_speak(server: Running) -> None:
    settings = yaml.safe_load(*blocks("yaml", "docs/clients"))
    assert settings["selected_module"]["TTS"] in settings["TTS"]
    bodies = {
        "index_stream": lambda tts: {"text": "你好", "character": tts["voice"]},
        "openai": lambda tts: {"model": tts["model"], "input": "你好", "voice": tts["voice"]},
        "gpt_sovits_v2": lambda tts: {"text": "你好", "ref_audio_path": tts["ref_audio_path"]},
    }
    with server.client() as client:
        for tts in settings["TTS"].values():
            address = tts.get("api_url", tts.get("url")).replace(SERVER, "")
            assert client.post(address, json=bodies[tts["type"]](tts)).status_code == 200, tts


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_the_architecture_has_the_moves_of_a_request_and_the_order_of_the_rooms(
    language: str,
) -> None:
    page = text_of("docs/architecture", language)
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (.*) \|$", page, re.MULTILINE)
    assert {state: tuple(re.findall(r"`(\w+)`", after)) for state, after in rows} == MOVES
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    assert "\n".join(["```", *layers, "```"]) in page
    for name in re.findall(r"`([a-z_0-9/]+/[a-z_0-9]+\.py)`", page):
        assert (ROOT / name).exists() or (ROOT / "glm_tts_api" / name).exists(), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_readme_is_a_door(language: str) -> None:
    text = text_of("README", language)
    assert len(text.splitlines()) <= 130
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert links
    assert all((ROOT / link).exists() for link in links)
    assert not [link for link in links if f"{link.removesuffix('.md')}_zh.md" in links]


def errors(kind: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from errors(subclass)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_code_stands_in_the_table_with_its_status(language: str) -> None:
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", text_of("docs/api", language), re.MULTILINE)
    listed = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert listed == {(status_of(error), error.code) for error in errors() if error.code not in ABSTRACT}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_route_and_every_header_of_an_answer_is_listed(server: Running, language: str) -> None:
    with server.client() as client:
        routes = client.get("/openapi.json").json()["paths"]
    headers = routes["/api/v1/tts"]["post"]["responses"]["200"]["headers"]
    text = text_of("docs/api", language)
    assert [each for each in (*routes, *headers, "Retry-After") if f"`{each}`" not in text] == []
