"""What other servers take as the voice, and this one does not read: refused in every dialect, so that no
other voice speaks in silence. What else is not read is named in X-Warnings."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.api.running import Running
from tests.recordings import voice_wav

OPENAI = ("/v1/audio/speech", {"input": "hello", "voice": "exampleA"})
ZHIPU = ("/api/paas/v4/audio/speech", {"input": "hello", "voice": "exampleA"})
SOVITS = ("/tts", {"text": "hello", "ref_audio_path": "exampleA.wav"})
OURS = ("/api/v1/tts", {"input_text": "hello", "index": "exampleA"})
# Of vLLM, Fish Speech, SiliconFlow, XTTS, CosyVoice, F5-TTS, IndexTTS, Chatterbox, Zonos, Dia, MiniMax, ...
ASKING: list[dict[str, Any]] = [
    {"refAudioUrl": "https://a.example/b.wav"},
    {"ref_voice": "anna"},
    {"reference_id": "802e"},
    {"references": [{"audio": "UklGRg==", "text": "hi"}]},
    {"reference_audio_filename": "a.wav"},
    {"aux_ref_audio_paths": ["a.wav"]},
    {"inp_refs": ["a.wav"]},
    {"refer_wav_path": "a.wav"},
    {"speaker": "anna"},
    {"speaker_wav": "a.wav"},
    {"speakerId": 3},
    {"speaker_embedding": [0.1]},
    {"spk_id": "anna"},
    {"prompt_wav": "a.wav"},
    {"prompt_speech_16k": "UklGRg=="},
    {"audio_prompt_path": "a.wav"},
    {"voice_id": "anna"},
    {"voiceId": "anna"},
    {"voice_type": "BV001_streaming"},
    {"voice_description": "a deep, old voice"},
    {"audio": "UklGRg=="},
    {"audio_url": "https://a.example/b.wav"},
    {"audioBase64": "UklGRg=="},
    {"predefined_voice_id": "anna"},
    {"voice_clone_prompt": "UklGRg=="},
    {"clone_url": "https://a.example/b.wav"},
    {"timbre_weights": [{"voice_id": "anna", "weight": 1}]},
    {"voice_setting": {"voice_id": "anna"}},
    {"params": {"audio_prompt_path": "a.wav"}},
]
NOT_ASKING: dict[str, Any] = {
    "instructions": "be cheerful",
    "lang_code": "z",
    "stream": False,
    "references": [],
    "reference_id": None,
    "speaker": "",
    "x_vector_only_mode": False,
    "voice_settings": {"stability": 0.5, "use_speaker_boost": True},
    "prompt": "calm",
    "voice_speed": 1.2,
    "audio_format": "mp3",
    "text_lang": "en",
}


def message_of(answer: httpx.Response) -> str:
    body = answer.json()
    return str(body["error"]["message"] if isinstance(body["error"], dict) else body["error"])


@pytest.mark.parametrize(("path", "said"), [OPENAI, ZHIPU, SOVITS, OURS])
def test_no_dialect_speaks_in_another_voice_than_was_asked_for(
    server: Running, path: str, said: dict[str, Any]
) -> None:
    with server.client() as client:
        for asking in ASKING:
            answer = client.post(path, json={**said, **asking})
            assert answer.status_code == 400, asking
            assert re.match(r"'[A-Za-z0-9_]+' is not read here", message_of(answer)), asking
            assert "POST /api/v1/prompts" in message_of(answer)
            assert "/api/v1/tts" in message_of(answer)
    assert server.engine.n_spoken == 0


@pytest.mark.parametrize(
    ("path", "said", "other"),
    [
        (*OPENAI, {"index": "exampleB"}),
        (*OPENAI, {"prompt_audio": "UklGRg==", "prompt_text": "hi"}),
        (*OPENAI, {"character": "exampleB"}),
        (*ZHIPU, {"index": "exampleB"}),
        (*ZHIPU, {"prompt_text": "hi"}),
        (*SOVITS, {"voice": "exampleB"}),
        (*SOVITS, {"character": "exampleB"}),
        (*OURS, {"voice": "exampleB"}),
        (*OURS, {"ref_audio_path": "exampleB.wav"}),
    ],
)
def test_a_field_of_another_dialect_is_no_exception(
    server: Running, path: str, said: dict[str, Any], other: dict[str, Any]
) -> None:
    with server.client() as client:
        assert client.post(path, json={**said, **other}).status_code == 400
    assert server.engine.n_spoken == 0


@pytest.mark.parametrize(("path", "said"), [OPENAI, ZHIPU, SOVITS])
def test_a_recording_that_comes_as_a_file_is_refused_by_whatever_name(
    server: Running, path: str, said: dict[str, Any]
) -> None:
    with server.client() as client:
        answer = client.post(path, data=said, files={"sound": ("a.wav", voice_wav(2))})
    assert answer.status_code == 400
    assert "'sound'" in message_of(answer)


@pytest.mark.parametrize(("path", "said"), [OPENAI, ZHIPU, SOVITS, OURS])
def test_what_asks_for_no_voice_is_named_and_ignored(
    server: Running, path: str, said: dict[str, Any]
) -> None:
    fields = {**said, **NOT_ASKING}
    if path == OURS[0]:
        fields |= {"stream": True, "response_format": "wav"}
    if path in (OPENAI[0], ZHIPU[0]):
        del fields["stream"]
    with server.client() as client:
        answer = client.post(path, json=fields)
    assert answer.status_code == 200, answer.text
    for name in ("lang_code", "prompt", *([] if path == OPENAI[0] else ["instructions"])):
        assert f"'{name}' is not a field here and was ignored" in answer.headers["X-Warnings"]


@pytest.mark.parametrize(("path", "said"), [ZHIPU, SOVITS, OURS])
def test_vllms_recording_is_read_in_openais_dialect_alone(
    server: Running, path: str, said: dict[str, Any]
) -> None:
    with server.client() as client:
        for sent in ({"ref_audio": "UklGRg==", "ref_text": "hi"}, {"ref_text": "hi"}):
            assert "/v1/audio/speech" in message_of(client.post(path, json={**said, **sent}))
    assert server.engine.n_spoken == 0


def test_openais_instructions_are_named_too(server: Running) -> None:
    with server.client() as client:
        plain = client.post(OPENAI[0], json=OPENAI[1])
        named = client.post(OPENAI[0], json={**OPENAI[1], "instructions": "calm", "stream": True})
        events = client.post(OPENAI[0], json={**OPENAI[1], "stream_format": "sse", "lang_code": "z"})
    assert "X-Warnings" not in plain.headers
    assert named.content == plain.content
    assert "'instructions'" in named.headers["X-Warnings"]
    assert "stream" not in named.headers["X-Warnings"]
    assert "'lang_code'" in events.headers["X-Warnings"]
    assert json.loads(events.text.split("data: ")[-1])["warnings"] == [events.headers["X-Warnings"]]


def test_gpt_sovits_clients_send_the_transcript_beside_the_path(server: Running) -> None:
    """The voice that the path names has its own."""
    with server.client() as client:
        answer = client.get("/tts", params={**SOVITS[1], "prompt_text": "hi", "prompt_lang": "en"})
        both = client.get("/tts", params={**SOVITS[1], "character": "exampleA"})
    assert (answer.status_code, both.status_code) == (200, 200)
    assert "'prompt_text'" not in answer.headers["X-Warnings"]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "start", "ref_audio": "UklGRg=="},
        {"type": "start", "voice_id": "exampleB"},
        {"type": "text", "text": "hello.", "voice": "exampleB"},
    ],
)
def test_the_socket_refuses_them_too(server: Running, message: dict[str, Any]) -> None:
    with connect(server.url.replace("http", "ws") + "/v1/audio/speech/stream") as socket:
        socket.send(json.dumps(message))
        told = json.loads(socket.recv())
    assert (told["type"], told["code"]) == ("error", "invalid_field")
    assert f"'{list(message)[-1]}' is not read here" in told["message"]
