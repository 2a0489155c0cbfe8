"""What goes wrong with a program's first request, and how the answer says what to change."""

from __future__ import annotations

from typing import Any

from tests.api.running import Running
from tests.recordings import voice_wav

SPEECH = "/v1/audio/speech"
SAID = {"input": "hello", "voice": "exampleA"}


def test_param_names_the_field(server: Running) -> None:
    faults: tuple[tuple[dict[str, Any], str], ...] = (
        *(({"speed": 9}, "speed"), ({"response_format": "mp4"}, "response_format")),
        *(({"input": text}, "input") for text in (None, " ", "...", "x" * 20_001)),
        ({"input": "".join(f"[[voice v{n}]]a" for n in range(33))}, "input"),
        *(({"voice": "nobody"}, "voice"), ({"speaker_wav": "a.wav"}, "speaker_wav")),
        *(({"ref_audio": "/etc/passwd"}, "ref_audio"), ({"ref_audio": "UklGRg=="}, "ref_text")),
        ({"ref_text": "said"}, "ref_audio"),
    )
    with server.client() as client:
        for fields, param in faults:
            answer = client.post(SPEECH, json={**SAID, **fields})
            assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_an_unknown_voice_is_told_which_there_are(server: Running) -> None:
    with server.client() as client:
        for number in range(12):
            fields, files = {"prompt_text": "said"}, {"prompt_audio": ("a.wav", voice_wav(1.5))}
            client.post("/api/v1/prompts", data={**fields, "index": f"v{number:02}"}, files=files)
        refused = client.post("/api/v1/tts", data={"input_text": "hello", "index": "nobody"})
    assert refused.json()["message"] == (
        "There is no voice 'nobody'; there are exampleA, exampleB, v00, v01, v02, v03, v04, v05, v06, v07 "
        "and 4 more (GET /api/v1/prompts, GET /v1/audio/voices)."
    )


def test_a_base_url_without_v1_is_told_so(server: Running) -> None:
    with server.client() as client:
        for path in (b"/audio/speech", b"/v1/v1/audio/speech", b"//v1/audio/speech"):
            asked = client.build_request("POST", "/", json=SAID)
            asked.url = asked.url.copy_with(raw_path=path)
            refused = client.send(asked)
            assert refused.status_code == 404
            assert refused.json()["error"]["message"].endswith(
                "did you mean /v1/audio/speech? An OpenAI client's base URL ends in /v1."
            )


def test_a_form_with_the_names_of_others(server: Running) -> None:
    """curl -F text=hello -F voice=exampleA."""
    with server.client() as client:
        both = client.post("/api/v1/tts", data={"text": "hello", "voice": "exampleA"})
        text = client.post("/api/v1/tts", data={"text": "hello", "index": "exampleA"})
        other = client.post(SPEECH, json={"text": "hello", "voice": "exampleA"})
    assert [answer.status_code for answer in (both, text, other)] == [400, 400, 400]
    assert "'voice' is not read here; did you mean index?" in both.json()["message"]
    assert "did you mean input_text?" in both.json()["message"]
    assert text.json()["message"] == (
        "input_text is missing. 'text' is not a field here and was ignored; did you mean input_text?"
    )
    assert "did you mean input?" in other.json()["error"]["message"]
