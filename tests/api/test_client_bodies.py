"""What client programs send, byte for byte, and what each needs of the answer."""

from __future__ import annotations

import base64
import http.client
import io
import json
import re
from collections.abc import Callable, Iterator

import httpx
import numpy as np
import pytest
import soundfile

from tests.api.running import Running
from tests.recordings import seconds_of

Serve = Callable[..., Running]
JSON = {"Content-Type": "application/json"}
OPENAI = "/v1/audio/speech"
TEXT = "\\u4f60\\u597d\\uff0c\\u4e16\\u754c"  # 你好，世界, as Python's json.dumps writes it


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def post(client: httpx.Client, path: str, body: str, **headers: str) -> httpx.Response:
    """http.client sends a header that ends in a blank as it is; httpx would not."""
    to = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=60)
    to.request("POST", path, body.encode(), {**JSON, **headers})
    got = to.getresponse()
    answer = httpx.Response(got.status, headers=got.getheaders(), content=got.read())
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize("key", ["", "sk-any"])
def test_open_webui(client: httpx.Client, key: str) -> None:
    """It plays audio/mpeg and nothing else as it comes."""
    body = f'{{"input": "{TEXT}", "voice": "exampleA", "model": "tts-1"}}'
    answer = post(client, OPENAI, body, Authorization=f"Bearer {key}")
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert seconds_of(answer.content) == pytest.approx(0.5, abs=0.03)


def test_open_webui_lists_models_and_voices_without_a_key(serve: Serve) -> None:
    with serve(api_keys="s3cret").client() as client:
        assert all("id" in model for model in client.get("/v1/audio/models").json()["models"])
        for voice in client.get("/v1/audio/voices").json()["voices"]:
            assert voice.keys() >= {"id", "name"}


def test_sillytavern_openai_compatible(client: httpx.Client) -> None:
    body = '{"input":"你好，世界","response_format":"mp3","voice":"alloy","speed":1,"model":"tts-1"}'
    answer = post(client, OPENAI, body, Authorization="Bearer ")
    assert seconds_of(answer.content) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("streams", ["true", "false"])
def test_sillytavern_tts_webui_skips_a_header_of_44_bytes(serve: Serve, streams: str) -> None:
    page = "http://localhost:8000"
    body = (
        '{"model":"chatterbox","input":"你好","voice":"exampleB","response_format":"wav","speed":1,'
        f'"stream":{streams},"params":{{}}}}'
    )
    with serve(cors_origins=page).client() as client:
        answer = post(client, OPENAI, body, Origin=page)
    assert answer.headers["Access-Control-Allow-Origin"] == page
    assert answer.content[36:40] == b"data"
    assert len(answer.content[44:].partition(b"LIST")[0]) == 24000  # then the mark


def test_sillytavern_gpt_sovits(client: httpx.Client) -> None:
    body = (
        '{"text":"你好","prompt_text":"exampleA","ref_audio_path":"./参考音频/exampleA.wav","text_lang":"zh",'
        '"prompt_lang":"zh","text_split_method":"cut5","batch_size":1,"media_type":"ogg",'
        '"streaming_mode":"true"}'
    )
    answer = post(client, "/", body)
    assert answer.headers["Content-Type"] == "audio/ogg"
    assert seconds_of(answer.content) == pytest.approx(0.5, abs=0.03)


def test_dify_joins_the_answers_of_a_long_text(client: httpx.Client) -> None:
    body = f'{{"model": "glm-tts", "input": "{TEXT}", "voice": "alloy", "response_format": "mp3"}}'
    joined = b"".join(post(client, OPENAI, body, Authorization="Bearer k").content for _ in range(3))
    assert seconds_of(joined) == pytest.approx(1.5, abs=0.05)


def test_dify_leaves_after_one_chunk_when_its_form_is_saved(server: Running) -> None:
    body = b'{"model": "glm-tts", "input": "Test.", "voice": "alloy", "response_format": "mp3"}'
    with server.client() as client, client.stream("POST", OPENAI, content=body, headers=JSON) as answer:
        assert next(answer.iter_raw())
    server.wait_for_lane(active=0)
    assert server.say().status_code == 200


def test_lobechat(client: httpx.Client) -> None:
    """OpenAI's JavaScript package sends it."""
    body = '{"input":"你好，世界","model":"tts-1","voice":"alloy"}'
    answer = post(client, OPENAI, body, Accept="*/*", Authorization="Bearer any")
    assert seconds_of(answer.content) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("speed", ["1.0", "0.5", "2.0"])
def test_neko_drops_events_of_less_than_200_bytes(client: httpx.Client, speed: str) -> None:
    body = (
        '{"model":"cogtts","input":"你好，世界","voice":"tongtong","response_format":"pcm",'
        f'"encode_format":"base64","speed":{speed},"volume":1.0,"stream":true,"watermark_enabled":false}}'
    )
    answer = post(client, "/api/paas/v4/audio/speech", body, Authorization="Bearer any")
    *events, end = [line for line in answer.text.split("\n") if line]
    assert end == "data: [DONE]"
    deltas = [json.loads(event.removeprefix("data: "))["choices"][0]["delta"] for event in events]
    audio = [base64.b64decode(delta.get("content", "")) for delta in deltas]
    played = b"".join(piece for piece in audio if len(piece) >= 200)
    assert len(played) / 48000 == pytest.approx(0.5 / float(speed), rel=0.01)


def test_xiaozhi_openai(client: httpx.Client) -> None:
    """It writes the body to a file and reads that with pydub, which goes by the header."""
    body = f'{{"model": "tts-1", "input": "{TEXT}", "voice": "exampleA", "response_format": "wav"'
    body += ', "speed": 1.0}'
    answer = post(client, OPENAI, body, Authorization="Bearer None")
    heard, rate = soundfile.read(io.BytesIO(answer.content))
    assert len(heard) / rate == 0.5


def test_xiaozhi_gpt_sovits_v2(client: httpx.Client) -> None:
    body = (
        f'{{"text": "{TEXT}", "text_lang": "zh", "ref_audio_path": "demo/exampleA.wav", '
        '"aux_ref_audio_paths": [], "prompt_text": "", "prompt_lang": "zh", "top_k": 5, "top_p": 1.0, '
        '"temperature": 1.0, "text_split_method": "cut0", "batch_size": 1, "batch_threshold": 0.75, '
        '"split_bucket": true, "return_fragment": false, "speed_factor": 1.0, "streaming_mode": false, '
        '"seed": -1, "parallel_infer": true, "repetition_penalty": 1.35}'
    )
    heard, rate = soundfile.read(io.BytesIO(post(client, "/tts", body).content))
    assert len(heard) / rate == 0.5


def test_xiaozhi_index_stream(client: httpx.Client) -> None:
    answer = post(client, "/tts", f'{{"text": "{TEXT}", "character": "exampleA"}}')
    pcm = np.frombuffer(answer.content, "<i2")
    assert len(pcm) == 12000
    assert np.abs(pcm[:100]).max() > 0  # sound, and no header, from the first sample on


def test_nextchat(serve: Serve) -> None:
    page = "https://chat.example"
    with serve(cors_origins=page).client() as client:
        body = '{"model":"tts-1","input":"你好，世界","voice":"nova","speed":1}'
        answer = post(client, OPENAI, body, Origin=page, Authorization="Bearer sk-any")
    assert answer.headers["Access-Control-Allow-Origin"] == page
    assert seconds_of(answer.content) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("speed", ["1", "0.5", "4"])  # `Math.min(speakSpeed / 10, 4)`
def test_legado(client: httpx.Client, speed: str) -> None:
    text = "%E4%BD%A0%E5%A5%BD%EF%BC%8C%E4%B8%96%E7%95%8C"
    answer = client.get(f"/api/v1/tts?input_text={text}&index=exampleA&speed={speed}")
    assert re.fullmatch("audio/.*", answer.headers["Content-Type"])
    assert seconds_of(answer.content) == pytest.approx(0.5 / float(speed), rel=0.1)


def test_legado_with_a_form(client: httpx.Client) -> None:
    body = "input_text=%E4%BD%A0%E5%A5%BD&index=exampleA&speed=1&response_format=mp3&stream=true"
    answer = client.post(
        "/api/v1/tts", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert re.fullmatch("audio/.*", answer.headers["Content-Type"])
    assert seconds_of(answer.content) == pytest.approx(0.5, abs=0.03)
