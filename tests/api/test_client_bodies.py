"""The bodies of client programs, byte for byte: the request that the server makes of each, and the answer
that the program needs."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.dialects import OPENAI, SOVITS, ZHIPU, asked
from tests.api.running import Running
from tests.recordings import seconds_of

Serve = Callable[..., Running]
TEXT = "\\u4f60\\u597d\\uff0c\\u4e16\\u754c"  # 你好，世界, as Python's json.dumps writes it
SAID = {"text": "你好，世界", "voice": "exampleA"}
MP3 = {"audio_format": "mp3", "streams": True}
PAGE = "https://chat.example"
DIFY = '{"model": "glm-tts", "input": "%s", "voice": "alloy", "response_format": "mp3"}'
PROGRAMS: dict[str, tuple[str, str, dict[str, str], dict[str, Any]]] = {
    "SillyTavern, OpenAI Compatible": (
        OPENAI,
        '{"input":"你好，世界","response_format":"mp3","voice":"alloy","speed":1,"model":"tts-1"}',
        {"Authorization": "Bearer "},
        MP3,
    ),
    "SillyTavern, GPT-SoVITS": (
        "/",
        '{"text":"你好，世界","prompt_text":"exampleA","ref_audio_path":"./参考音频/exampleA.wav",'
        '"text_lang":"zh","prompt_lang":"zh","text_split_method":"cut5","batch_size":1,"media_type":"ogg",'
        '"streaming_mode":"true"}',
        {},
        {"audio_format": "opus", "streams": True},
    ),
    "Dify": (OPENAI, DIFY % TEXT, {"Authorization": "Bearer k"}, MP3),
    "LobeChat": (  # by OpenAI's JavaScript package
        OPENAI,
        '{"input":"你好，世界","model":"tts-1","voice":"alloy"}',
        {"Accept": "*/*", "Authorization": "Bearer any"},
        MP3,
    ),
    "xiaozhi, OpenAI": (
        OPENAI,
        f'{{"model": "tts-1", "input": "{TEXT}", "voice": "exampleA", "response_format": "wav"'
        ', "speed": 1.0}',
        {"Authorization": "Bearer None"},
        {"streams": True},
    ),
    "xiaozhi, GPT-SoVITS v2": (
        SOVITS,
        f'{{"text": "{TEXT}", "text_lang": "zh", "ref_audio_path": "demo/exampleA.wav", '
        '"aux_ref_audio_paths": [], "prompt_text": "", "prompt_lang": "zh", "top_k": 5, "top_p": 1.0, '
        '"temperature": 1.0, "text_split_method": "cut0", "batch_size": 1, "batch_threshold": 0.75, '
        '"split_bucket": true, "return_fragment": false, "speed_factor": 1.0, "streaming_mode": false, '
        '"seed": -1, "parallel_infer": true, "repetition_penalty": 1.35}',
        {},
        {},
    ),
    "NextChat": (
        OPENAI,
        '{"model":"tts-1","input":"你好，世界","voice":"nova","speed":1}',
        {"Origin": PAGE, "Authorization": "Bearer sk-any"},
        MP3,
    ),
    "Legado": (
        "/api/v1/tts",
        "input_text=%E4%BD%A0%E5%A5%BD%EF%BC%8C%E4%B8%96%E7%95%8C&index=exampleA&speed=1"
        "&response_format=mp3&stream=true",
        {"Content-Type": "application/x-www-form-urlencoded"},
        MP3,
    ),
}


def post(server: Running, path: str, body: str, **headers: str) -> httpx.Response:
    """http.client sends a header that ends in a blank as it is; httpx would not."""
    to = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    to.request("POST", path, body.encode(), {"Content-Type": "application/json", **headers})
    got = to.getresponse()
    answer = httpx.Response(got.status, headers=got.getheaders(), content=got.read())
    assert answer.status_code == 200, answer.text
    return answer


def test_each_program_is_understood(serve: Serve) -> None:
    server = serve(cors_origins=PAGE)
    for program, (path, body, headers, request) in PROGRAMS.items():
        answer = post(server, path, body, **headers)
        assert (program, asked(server)) == (program, {**SAID, **request})
        assert answer.headers.get("Access-Control-Allow-Origin") == headers.get("Origin")
        assert (answer.headers["Content-Type"] == "audio/mpeg") == (request == MP3)
        assert seconds_of(answer.content) == pytest.approx(0.5, abs=0.03), program


@pytest.mark.parametrize("speed", ["1.0", "2.0"])
def test_neko_drops_events_of_less_than_200_bytes(server: Running, speed: str) -> None:
    body = (
        '{"model":"cogtts","input":"你好，世界","voice":"tongtong","response_format":"pcm",'
        f'"encode_format":"base64","speed":{speed},"volume":1.0,"stream":true,"watermark_enabled":false}}'
    )
    *events, end = [line for line in post(server, ZHIPU, body).text.split("\n") if line]
    assert end == "data: [DONE]"
    deltas = [json.loads(event.removeprefix("data: "))["choices"][0]["delta"] for event in events]
    audio = [base64.b64decode(delta.get("content", "")) for delta in deltas]
    played = b"".join(piece for piece in audio if len(piece) >= 200)
    assert len(played) / 48000 == pytest.approx(0.5 / float(speed), rel=0.01)
