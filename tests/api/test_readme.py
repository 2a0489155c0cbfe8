"""Examples of both READMEs and of the pages behind them run as they stand; no error code or header is left
out."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from glm_tts_api.api.v1.errors import status_of
from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.errors import ServiceError
from tests.api.running import Running
from tests.recordings import voice_wav

ROOT = Path(__file__).parents[2]
LANGUAGES = ("", "_zh")
PAGES = ("README", "docs/api", "docs/voices")
ABSTRACT = {"bad_request", "unavailable"}  # only their kinds are raised


def curl_blocks(text: str) -> list[str]:
    """The shell blocks that hold curl commands alone."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    commands = [block.replace("\\\n", " ").strip().splitlines() for block in blocks]
    return ["\n".join(lines) for lines in commands if all(line.startswith("curl ") for line in lines)]


def text_of(page: str, language: str) -> str:
    return (ROOT / f"{page}{language}.md").read_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_curl_lines_run_as_they_stand(server: Running, tmp_path: Path, language: str) -> None:
    (tmp_path / "my_voice.wav").write_bytes(voice_wav(3.0))
    blocks = [block for page in PAGES for block in curl_blocks(text_of(page, language))]
    lines = [line for block in blocks for line in block.splitlines()]
    for part in ("-X PUT", "-X DELETE", "application/json", "prompt_audio=@"):
        assert any(part in line for line in lines), part
    for line in lines:
        command = line.replace("http://localhost:8049", server.url)
        command = command.replace("curl ", "curl --noproxy '*' --fail-with-body ")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    for wav in tmp_path.glob("*.wav"):
        assert wav.read_bytes().startswith(b"RIFF"), wav


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_program_of_the_readme_runs_as_it_stands(server: Running, tmp_path: Path, language: str) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", text_of("README", language), re.DOTALL)
    program = program.replace("http://localhost:8049", server.url)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, timeout=60, check=True)
    assert len(decode_audio((tmp_path / "hello.mp3").read_bytes(), RecordingLimits(min_s=0.1)).samples)


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
def test_every_header_of_an_answer_is_listed(server: Running, language: str) -> None:
    with server.client() as client:
        document = client.get("/openapi.json").json()
    headers = document["paths"]["/api/v1/tts"]["post"]["responses"]["200"]["headers"]
    text = text_of("docs/api", language)
    for header in (*headers, "Retry-After"):
        assert f"`{header}`" in text, header
