"""Requests for speech that a client of the soak test makes.

The requests use every API dialect, audio format and sample rate, and the WebSockets. Some clients disconnect
early, and some requests time out.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from websockets.sync.client import connect

from bench.disconnects import MOMENTS, leave, speech_request
from scripts.checks.torture.asking import LEFT, Asking, UnwantedAnswerError
from scripts.checks.torture.sayings import new_text, new_voice

FORMATS = ("wav", "mp3", "opus", "flac", "aac", "pcm")
ELEVENLABS_FORMATS = ("mp3_44100_128", "mp3_22050_32", "opus_48000_64", "pcm_16000", "pcm_24000", "wav_44100")
VOICES = ("exampleA", "exampleB")
LONGEST = 30  # characters of a text, so that an hour costs a third of a core
TOO_LONG = 500  # characters, which count as a long text; the time-out of long texts is too short for them


def _fields(client: Asking) -> dict[str, str]:
    draw = client.draw
    return {
        "input_text": new_text(draw, LONGEST),
        "index": draw.choice(VOICES),
        "seed": str(draw.randrange(10**9)),
        "sample_rate": draw.choice(("24000", "32000")),
        "response_format": draw.choice(FORMATS),
        "speed": draw.choice(("1", "1", "1", "0.8", "1.5")),
    }


def whole(client: Asking) -> None:
    """Asks for a whole answer, by a form or by JSON. One answer in two is JSON with word times."""
    fields: dict[str, str] = _fields(client) | client.draw.choice(
        ({}, {"response_format": "json", "timestamps": "word"})
    )
    if client.draw.random() < 0.5:
        client.speech("POST", "/api/v1/tts", data=fields)
    else:
        client.speech("POST", "/api/v1/tts", json=fields)


def in_phonemes(client: Asking) -> None:
    """Asks for speech by phonemes. The first such request makes an engine load dictionaries of 140 MB."""
    hanzi = {"input_text": "重庆的银行" + new_text(client.draw, LONGEST)}
    client.speech("POST", "/api/v1/tts", data=_fields(client) | hanzi | {"use_phoneme": "true"})


def streamed(client: Asking) -> None:
    client.speech("POST", "/api/v1/tts", data=_fields(client) | {"stream": "true"})


def addressed(client: Asking) -> None:
    client.speech("GET", "/api/v1/tts", params=_fields(client) | {"stream": "false"})


def uploaded(client: Asking) -> None:
    fields = _fields(client) | {"prompt_text": new_text(client.draw, LONGEST)}
    del fields["index"]
    recording = {"prompt_audio": ("a.wav", new_voice(client.draw))}
    client.speech("POST", "/api/v1/tts", data=fields, files=recording)


def asked_again(client: Asking) -> None:
    """Asks for speech, then fetches the same answer in another format, in part, and its subtitles."""
    fields = _fields(client) | {"response_format": "wav", "subtitle": "srt", "timestamps": "word"}
    id = client.speech("POST", "/api/v1/tts", data=fields).headers["X-Request-Id"]
    path = f"/api/v1/audio/{id}"
    client.call("GET", path, params={"format": client.draw.choice(FORMATS)})
    client.call("GET", path, headers={"Range": "bytes=0-99"}, status=206)
    client.call("GET", f"{path}/subtitles.{client.draw.choice(('srt', 'vtt'))}")
    client.call("GET", f"{path}/timestamps")


def openai(client: Asking) -> None:
    body = {
        "input": new_text(client.draw, LONGEST),
        "voice": client.draw.choice(("alloy", *VOICES)),
        "response_format": client.draw.choice(FORMATS),
        **client.draw.choice(({}, {"stream": False}, {"stream_format": "sse", "timestamps": "word"})),
    }
    client.speech("POST", "/v1/audio/speech", json=body)


def openai_cloned(client: Asking) -> None:
    recording = base64.b64encode(new_voice(client.draw)).decode()
    body = {
        "input": new_text(client.draw, LONGEST),
        "ref_audio": f"data:audio/wav;base64,{recording}",
        "ref_text": new_text(client.draw, LONGEST),
    }
    client.speech("POST", "/v1/audio/speech", json=body)


def zhipu(client: Asking) -> None:
    body = {
        "input": new_text(client.draw, LONGEST),
        "voice": "tongtong",
        **client.draw.choice(
            ({"response_format": "wav"}, {"stream": True}, {"stream": True, "encode_format": "hex"})
        ),
    }
    client.speech("POST", "/api/paas/v4/audio/speech", json=body)


def elevenlabs(client: Asking) -> None:
    end = client.draw.choice(("", "/stream"))
    params = {"output_format": client.draw.choice(ELEVENLABS_FORMATS)}
    body = {"text": new_text(client.draw, LONGEST)}
    client.speech("POST", f"/v1/text-to-speech/exampleA{end}", params=params, json=body)


def gpt_sovits(client: Asking) -> None:
    fields = {
        "text": new_text(client.draw, LONGEST),
        "ref_audio_path": "exampleB.wav",
        "media_type": client.draw.choice(("wav", "raw", "ogg", "aac")),
        "streaming_mode": client.draw.choice(("true", "false")),
    }
    if client.draw.random() < 0.5:
        client.speech("GET", "/tts", params=fields)
    else:
        client.speech("POST", "/tts", json=fields)


def captioned(client: Asking) -> None:
    body = {"input": new_text(client.draw, LONGEST), "voice": "af_sky", "response_format": "mp3"}
    client.speech("POST", "/dev/captioned_speech", json=body)


def talked(client: Asking) -> None:
    """Sends a text over the WebSocket in this project's own message format, and receives the speech."""
    start = {"voice": client.draw.choice(VOICES), "sample_rate": client.draw.choice((24000, 32000))}
    text = new_text(client.draw, LONGEST)
    _talk(client, [{"type": "start", **start}, {"type": "text", "text": text}, {"type": "end"}])


def _talk(client: Asking, messages: list[dict[str, Any]]) -> None:
    """Sends `messages` over the WebSocket, and reads answers to its end.

    Raises UnwantedAnswerError for a message of type "error", and for fewer than 100 bytes of audio.
    """
    address = f"{client.url.replace('http', 'ws', 1)}/v1/audio/speech/stream"
    headers = {"X-Request-Id": client.new_id()}
    n_bytes = 0
    with connect(address, proxy=None, max_size=None, additional_headers=headers) as socket:
        for message in messages:
            socket.send(json.dumps(message))
        for answer in socket:
            if isinstance(answer, bytes):
                n_bytes += len(answer)
            elif json.loads(answer)["type"] == "error":
                raise UnwantedAnswerError(f"socket: {answer[:300]}")
    if n_bytes < 100:
        raise UnwantedAnswerError(f"socket: {n_bytes} bytes")


def left(client: Asking) -> None:
    """Sends a request for speech and disconnects at a random moment, with or without closing properly."""
    request = speech_request(client.draw, LONGEST, client.new_id(LEFT))
    leave(client.port, request, client.draw.choice(MOMENTS), client.draw)


def late(client: Asking) -> None:
    """Sends a text that cannot be spoken before the time-out, and expects status 408.

    The server may keep the part that was spoken as a book (a job), which is then deleted.
    """
    text = new_text(client.draw, LONGEST) * TOO_LONG
    body = {"input_text": text[:TOO_LONG], "index": "exampleA", "response_format": "wav"}
    answer = client.speech("POST", "/api/v1/tts", json=body, status=408)
    if job := answer.json().get("job"):
        client.call("DELETE", f"/api/v1/jobs/{job}")


SPEAKING = (
    *(whole, whole, in_phonemes, streamed, streamed, addressed, uploaded, uploaded, asked_again),
    *(openai, openai, openai_cloned, zhipu, zhipu, elevenlabs, gpt_sovits, captioned),
    *(talked, talked, talked),
)
