"""A field that a dialect does not have: named in the answer and in the log, and refused where other servers
take it as the voice, so that no other voice speaks in silence; over real HTTP."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import httpx
import pytest

from tests.api.dialects import ELEVENLABS, KOKORO, OPENAI, OURS, SAY, SOVITS, ZHIPU
from tests.api.running import Running
from tests.api.socket_client import heard, talking
from tests.recordings import voice_wav

MISSPELT = "'sampel_rate' is not a field here and was ignored; did you mean sample_rate?"
RECORDING = ("a.wav", voice_wav(2.0))
# Of vLLM, Fish Speech, SiliconFlow, XTTS, CosyVoice, F5-TTS, IndexTTS, Chatterbox, Zonos, Dia, MiniMax, ...
ASKING: list[dict[str, Any]] = [
    *({name: "https://a.example/b.wav"} for name in ("refAudioUrl", "audio_url", "clone_url")),
    *({name: "anna"} for name in ("ref_voice", "speaker", "spk_id", "voice_id", "voiceId", "reference_id")),
    *(
        {name: "a.wav"}
        for name in ("reference_audio_filename", "refer_wav_path", "speaker_wav", "prompt_wav")
    ),
    *({name: ["a.wav"]} for name in ("aux_ref_audio_paths", "inp_refs")),
    *({name: "UklGRg=="} for name in ("prompt_speech_16k", "audio", "audioBase64", "voice_clone_prompt")),
    {"references": [{"audio": "UklGRg==", "text": "hi"}]},
    *({"speakerId": 3}, {"speaker_embedding": [0.1]}, {"audio_prompt_path": "a.wav"}),
    *({"voice_type": "BV001_streaming"}, {"voice_description": "a deep, old voice"}),
    {"predefined_voice_id": "anna"},
    {"timbre_weights": [{"voice_id": "anna", "weight": 1}]},
    {"voice_setting": {"voice_id": "anna"}},
    {"params": {"audio_prompt_path": "a.wav"}},
]
NOT_ASKING: dict[str, Any] = {
    **{"instructions": "be cheerful", "lang_code": "z", "prompt": "calm", "voice_speed": 1.2},
    **{"references": [], "reference_id": None, "speaker": "", "x_vector_only_mode": False},
    **{"audio_format": "mp3", "text_lang": "en", "voice_settings": {"stability": 0.5}},
}
OF_OTHERS: list[tuple[str, dict[str, Any]]] = [
    (OURS, {"voice": "exampleB"}),
    (OURS, {"ref_audio_path": "exampleB.wav"}),
    (OURS, {"ref_audio": "UklGRg==", "ref_text": "hi"}),
    (OPENAI, {"index": "exampleB"}),
    (OPENAI, {"prompt_audio": "UklGRg==", "prompt_text": "hi"}),
    (OPENAI, {"character": "exampleB"}),
    (ZHIPU, {"prompt_text": "hi"}),
    (ZHIPU, {"ref_text": "hi"}),
    (SOVITS, {"voice": "exampleB"}),
    (SOVITS, {"character": "exampleB"}),
    (ELEVENLABS, {"voice_id": "exampleB"}),
    (KOKORO, {"reference_id": "anna"}),
]


def send(server: Running, path: Any = OURS, files: Any = None, **fields: Any) -> httpx.Response:
    with server.client() as client:
        body: dict[str, Any] = {"data": {**SAY[path], **fields}, "files": files}
        return client.post(path, **(body if files else {"json": {**SAY[path], **fields}}))


def test_what_other_servers_take_as_the_voice_is_refused(server: Running) -> None:
    for asking in ASKING:
        answer = send(server, OPENAI, **asking)
        message = answer.json()["error"]["message"]
        assert answer.status_code == 400, asking
        assert re.match(r"'[A-Za-z0-9_]+' is not read here", message), asking
        assert "POST /api/v1/prompts" in message
        assert "/api/v1/tts" in message
    for path, other in OF_OTHERS:
        assert (path, other, send(server, path, **other).status_code) == (path, other, 400)
    for path in (OPENAI, ZHIPU, SOVITS):
        refused = send(server, path, files={"sound": RECORDING})
        assert (refused.status_code, "'sound'" in refused.text) == (400, True)
    assert server.engine.requests == []


def test_what_asks_for_no_voice_is_named_and_ignored(server: Running) -> None:
    answer = send(server, **NOT_ASKING, response_format="wav")
    assert answer.status_code == 200, answer.text
    for name in ("lang_code", "prompt", "instructions"):
        assert f"'{name}' is not a field here and was ignored" in answer.headers["X-Warnings"]


def test_the_socket_refuses_them_too(server: Running) -> None:
    for message in ({"type": "start", "ref_audio": "UklGRg=="}, {"type": "text", "text": "a", "voice": "b"}):
        with talking(server.url) as client:
            client.send(json.dumps(message))
            (told,), _ = heard(client, "error")
        assert told["code"] == "invalid_field"
        assert f"'{list(message)[-1]}' is not read here" in told["message"]


def test_an_answer_says_it_in_its_list_its_header_or_its_last_event(server: Running) -> None:
    assert send(server).json()["warnings"] == []
    assert "X-Warnings" not in send(server, response_format="wav").headers
    answer = send(server, sampel_rate=32000, feeling="good").json()
    assert answer["warnings"] == [MISSPELT, "'feeling' is not a field here and was ignored."]
    assert answer["sample_rate"] == 24000
    assert send(server, response_format="wav", sampel_rate=32000).headers["X-Warnings"] == MISSPELT
    events = send(server, OPENAI, stream_format="sse", lang_code="z", instructions="calm")
    warnings = events.headers["X-Warnings"]
    assert " ".join(json.loads(events.text.split("data: ")[-1])["warnings"]) == warnings
    for name in ("'lang_code'", "'instructions'"):
        assert name in warnings
    (misnamed,) = send(server, files={"prompt_adio": RECORDING}).json()["warnings"]
    assert misnamed == "'prompt_adio' is not a field here and was ignored; did you mean prompt_audio?"


def test_names_that_no_header_can_hold_and_many_of_them(server: Running) -> None:
    for name in ("语气", "a\r\nSet-Cookie: x=1", "\x1b[31m", "\x00", "x" * 5000):
        answer = send(server, **{"response_format": "wav", name: 1})
        assert answer.status_code == 200
        assert answer.headers["X-Warnings"].isprintable()
        assert answer.headers["X-Warnings"].isascii()
        assert "Set-Cookie" not in answer.headers
        (warning,) = send(server, **{name: 1}).json()["warnings"]
        assert len(warning) < 120
        assert " ".join(name.split())[:30] in warning
    warnings = send(server, **{f"x{n}": n for n in range(500)}).json()["warnings"]
    assert (len(warnings), warnings[-1]) == (11, "490 more fields were ignored.")


def test_the_log_names_the_field_and_holds_no_text_of_the_user(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        send(server, input_text="a secret", sampel_rate="hidden")
        send(server, **{"Dear John, it is over": 1})
    lines = [record.getMessage() for record in caplog.records]
    ignored = [line for line in lines if "ignored" in line]
    assert ignored == ["ignored fields that are not ours: sampel_rate", "ignored fields that are not ours: ?"]
    assert not any("secret" in line or "hidden" in line for line in lines)
