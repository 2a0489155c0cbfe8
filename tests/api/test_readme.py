"""What both READMEs say of HTTP holds: curl lines run as they stand, no error code or header is left out."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from recordings import voice_wav
from running import Running

from glm_tts_api.api.v1.errors import status_of
from glm_tts_api.errors import ServiceError

ROOT = Path(__file__).parents[2]
READMES = ["README.md", "README_zh.md"]
ABSTRACT = {"bad_request", "unavailable"}  # only their kinds are raised


def curl_blocks(text: str) -> list[str]:
    """The shell blocks that hold curl commands alone."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    commands = [block.replace("\\\n", " ").strip().splitlines() for block in blocks]
    return ["\n".join(lines) for lines in commands if all(line.startswith("curl ") for line in lines)]


@pytest.mark.parametrize("name", READMES)
def test_the_curl_lines_run_as_they_stand(server: Running, tmp_path: Path, name: str) -> None:
    (tmp_path / "my_voice.wav").write_bytes(voice_wav(3.0))
    blocks = curl_blocks((ROOT / name).read_text())
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


def errors(kind: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from errors(subclass)


@pytest.mark.parametrize("name", READMES)
def test_every_error_code_stands_in_the_table_with_its_status(name: str) -> None:
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", (ROOT / name).read_text(), re.MULTILINE)
    listed = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert listed == {(status_of(error), error.code) for error in errors() if error.code not in ABSTRACT}


@pytest.mark.parametrize("name", READMES)
def test_every_header_of_an_answer_is_listed(server: Running, name: str) -> None:
    with server.client() as client:
        document = client.get("/openapi.json").json()
    headers = document["paths"]["/api/v1/tts"]["post"]["responses"]["200"]["headers"]
    text = (ROOT / name).read_text()
    for header in (*headers, "Retry-After"):
        assert f"`{header}`" in text, header
