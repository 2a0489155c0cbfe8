"""The requests of the frozen table: chapters of cases, each chapter in its order on one server.

A case is answered the same each time: a voice or a job that a chapter adds is deleted at the chapter's end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.recordings import encoded, png, voice, voice_wav

_ROWS = [line.split("\t") for line in (Path(__file__).parent / "texts.tsv").read_text("utf-8").splitlines()]
TEXTS, REFUSED_TEXTS, SSML = (
    [text.replace("\\n", "\n") for row, text in _ROWS if row == kind] for kind in ("text", "refused", "ssml")
)
HELLO, NI_HAO = "Hello there.", "你好，世界。"
LONG = "今天的天气真的很好，我们一起去公园走走吧。And then we will have some tea together. 你觉得怎么样？"
MARKED = "[[重庆|chong2 qing4]]很大。[[pause 0.3]][[voice exampleB]]你好。"
FORMATS = ("wav", "flac", "pcm", "mp3", "opus", "aac")
PROMPT = {"prompt_text": "录音里说的每一个字。"}
ELEVEN = (
    "mp3_44100_128",
    "mp3_22050_32",
    "opus_48000_64",
    "pcm_16000",
    "pcm_44100",
    "wav_32000",
    "wav_8000",
    "ulaw_8000",
)


@dataclass(frozen=True)
class Case:
    """A request. `options` are httpx's; of a socket (method WS) `messages` are sent, in turns that end with a
    message of one of the types `until`. A path or option may name what `keeps` kept: {job}."""

    name: str
    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)
    messages: tuple[Any, ...] = ()
    until: str = "done"
    keeps: str = ""  # a field of the JSON answer, by whose name later cases take it
    until_state: str = ""  # asked again until `state` of the answer is this


def _post(name: str, path: str, body: Any, **headers: str) -> Case:
    return Case(name, "POST", path, {"json": body, "headers": headers} if headers else {"json": body})


def _say(name: str, text: str = NI_HAO, **fields: Any) -> Case:
    return _post(
        name, "/api/v1/tts", {"input_text": text, "index": "exampleA", "response_format": "wav", **fields}
    )


def own_texts() -> Iterator[Case]:
    for number, text in enumerate(TEXTS):
        yield _post(f"text-{number}", "/api/v1/tts", {"input_text": text, "index": "exampleA"})
    for number, text in enumerate((*REFUSED_TEXTS, "好" * 301)):
        yield _say(f"refused-{number}", text)
    for number, text in enumerate(SSML):
        yield _say(f"ssml-{number}", text, input_type="ssml")


def own_formats() -> Iterator[Case]:
    for rate in (24000, 32000):
        for kind in FORMATS:
            for stream in (False, True):
                yield _say(f"{kind}-{rate}-{stream}", sample_rate=rate, response_format=kind, stream=stream)
    yield _say("long-stream", LONG, stream=True)
    yield _say("json-stream", response_format="json", stream=True)


def own_options() -> Iterator[Case]:
    options: list[dict[str, Any]] = [
        *({"seed": seed} for seed in (0, 7, 2**63 - 1, -1, "x", 1.5)),
        *({"speed": speed} for speed in (0.25, 0.8, 2, 4, 0.2, 5, "fast")),
        *({"sample_rate": rate} for rate in (32000, "24000", 16000)),
        *({"beam_size": size} for size in (2, 5, 0, 6)),
        *({"sample_method": "topk", "sampling": k} for k in (1, 5, 100, 0, 101)),
        *({"mood": "glad"}, {"index": "nobody"}, {"index": ""}, {"index": None}, {"index": "exampleB"}),
        *({"response_format": kind} for kind in ("WAV", "ogg", "")),
        *({name: True} for name in ("use_phoneme", "sampel_rate", "speaker_wav", "voice_id")),
        *(
            {"use_cache": "maybe"},
            {"verify": True},
            {"timestamps": "line"},
            {"subtitle": "ass"},
            {"verbatim": "x"},
        ),
        *(
            {"lexicon": words}
            for words in ([{"word": "世界", "reading": "shi4 jie4"}], [{"word": "世界"}], "x", 3)
        ),
        {"prompt_text": "both"},
        *({name: "x" * 200} for name in ("sample_method", "use_phoneme", "index")),
        *({"speed": "nan"}, {"seed": 2**63}, {"seed": True}, {"index": {"a": 1}}, {"index": "../exampleA"}),
    ]
    for number, fields in enumerate(options):
        yield _say(f"option-{number}-{next(iter(fields))}", **fields)
    yield _say("independent", LONG, use_cache=False)
    yield _say("slow-long", LONG, speed=0.8, sample_rate=32000)
    for verbatim in ("read", "short", "skip"):
        yield _say(f"verbatim-{verbatim}", "See https://example.org/abc and /etc/passwd.", verbatim=verbatim)
    for times in ("segment", "sentence", "word"):
        yield _say(f"times-{times}", LONG, timestamps=times, subtitle="srt", response_format="json")
    yield _say("vtt", LONG, subtitle="vtt", response_format="json", speed=1.5)


def own_bodies() -> Iterator[Case]:
    path, fields = "/api/v1/tts", {"input_text": HELLO, "index": "exampleA", "response_format": "wav"}
    yield Case("form", "POST", path, {"data": fields})
    yield Case("multipart", "POST", path, {"files": {name: (None, value) for name, value in fields.items()}})
    yield Case("address", "GET", path, {"params": fields})
    yield Case("address-mp3", "GET", path, {"params": {"input_text": HELLO, "index": "exampleA"}})
    yield Case("head", "HEAD", path, {"params": fields})
    yield Case(
        "range", "GET", path, {"params": {**fields, "stream": "false"}, "headers": {"Range": "bytes=0-99"}}
    )
    json_type = {"Content-Type": "application/json"}
    bodies = (b"", b"{", b"[]", b"3", b'{"input_text": 3}', b'{"input_text": null}', b"\xff", b"[" * 50)
    for number, body in enumerate(bodies):
        yield Case(f"bad-json-{number}", "POST", path, {"content": body, "headers": json_type})
    yield Case(
        "bad-form", "POST", path, {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}
    )
    yield Case("no-type", "POST", path, {"content": b"x"})
    yield Case("xml", "POST", path, {"content": b"<x/>", "headers": {"Content-Type": "application/xml"}})
    yield Case("put", "PUT", path)
    yield Case("nothing", "GET", "/api/v1/nothing")
    yield Case("gzip", "POST", path, {"content": b"x", "headers": {**json_type, "Content-Encoding": "gzip"}})
    gbk, form = "你好".encode("gbk"), {"Content-Type": "application/x-www-form-urlencoded"}
    part = b'--x\r\nContent-Disposition: form-data; name="input_text"\r\n\r\n%b\r\n--x--\r\n'
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    yield Case("gbk-form", "POST", path, {"content": b"input_text=" + gbk, "headers": form})
    yield Case("gbk-quoted", "POST", path, {"content": b"input_text=%C4%E3", "headers": form})
    yield Case("gbk-multipart", "POST", path, {"content": part % gbk, "headers": multipart})
    yield Case("gbk-address", "GET", f"{path}?input_text=%C4%E3&index=exampleA")
    yield Case("no-multipart", "POST", path, {"content": b"not a form", "headers": multipart})
    yield Case("address-nobody", "GET", path, {"params": {**fields, "index": "nobody"}})
    yield _post("slash", f"{path}/", fields)
    yield Case("slashes", "GET", "/api/v1/clear_cache//")
    wrong = {"files": {"input_text": ("text.txt", b"hello")}}
    yield Case("file-for-text", "POST", path, {"data": {"index": "exampleA"}, **wrong})
    yield Case("text-for-file", "POST", path, {"data": {"input_text": HELLO, "prompt_audio": "a.wav"}})


def uploads() -> Iterator[Case]:
    recordings = {
        "a.wav": voice_wav(2.0),
        "a.flac": encoded(voice(2.0, 44100), 44100, "FLAC"),
        "short.wav": voice_wav(0.3),
        "long.wav": voice_wav(31.0, 8000),
        "silent.wav": encoded(0 * voice(2.0), 24000, "WAV"),
        "cut.wav": voice_wav(2.0)[:1000],
        "text.wav": b"not a recording",
        "empty.wav": b"",
        "picture.wav": png(),
    }
    for name, recording in recordings.items():
        data = {"input_text": NI_HAO, "response_format": "wav", **PROMPT}
        yield Case(
            f"upload-{name}",
            "POST",
            "/api/v1/tts",
            {"data": data, "files": {"prompt_audio": (name, recording)}},
        )
        files = {"prompt_audio": (name, recording)}
        yield Case(f"check-{name}", "POST", "/api/v1/prompts/check", {"data": PROMPT, "files": files})
    only = {"prompt_audio": ("a.wav", recordings["a.wav"])}
    yield Case("no-transcript", "POST", "/api/v1/tts", {"data": {"input_text": NI_HAO}, "files": only})
    long = {"input_text": NI_HAO, "prompt_text": "好" * 501}
    yield Case("long-transcript", "POST", "/api/v1/tts", {"data": long, "files": only})
    yield _say("no-recording", index=None, **PROMPT)
    ref = {"input": NI_HAO, "response_format": "wav", "ref_text": PROMPT["prompt_text"]}
    yield Case(
        "ref-audio", "POST", "/v1/audio/speech", {"data": ref, "files": {"ref_audio": only["prompt_audio"]}}
    )
    yield _post("ref-address", "/v1/audio/speech", {**ref, "ref_audio": "http://example.org/a.wav"})


def voices() -> Iterator[Case]:
    path, files = "/api/v1/prompts", {"prompt_audio": ("a.wav", voice_wav(3.0))}
    yield Case("list", "GET", path)
    yield Case("shipped", "GET", f"{path}/exampleA")
    yield Case("shipped-audio", "GET", f"{path}/exampleB/audio")
    yield Case("shipped-part", "GET", f"{path}/exampleB/audio", {"headers": {"Range": "bytes=0-9"}})
    yield Case("unknown", "GET", f"{path}/nobody")
    note = {"language": "zh", "gender": "female", "description": "warm", "consent": "mine"}
    yield Case("add", "POST", path, {"data": {"index": "new", **PROMPT, **note}, "files": files})
    yield Case("add-again", "POST", path, {"data": {"index": "new", **PROMPT}, "files": files})
    yield Case("add-mood", "POST", path, {"data": {"index": "new", "mood": "glad", **PROMPT}, "files": files})
    yield Case("add-bad-name", "POST", path, {"data": {"index": "a b", **PROMPT}, "files": files})
    yield Case("add-no-words", "POST", path, {"data": {"index": "x"}, "files": files})
    yield Case(
        "add-elsewhere", "POST", path, {"data": {"index": "x", "prompt_audio_path": "../../x.wav", **PROMPT}}
    )
    yield Case("found", "GET", path, {"params": {"language": "zh", "gender": "female", "search": "warm"}})
    yield _say("speak", index="new")
    yield _say("speak-mood", index="new", mood="glad")
    yield _say("speak-marked-mood", "你好。[[mood glad]]好！", index="new")
    yield _say("no-such-mood", index="new:sad")
    yield _post("instructed", "/v1/audio/speech", _openai(voice="new", instructions="Speak in a glad tone."))
    yield _post("not-instructed", "/v1/audio/speech", _openai(voice="new", instructions="Whisper."))
    yield Case("change", "PUT", f"{path}/new", {"json": {"prompt_text": "另外的字。", "consent": " "}})
    yield Case("change-name", "PUT", f"{path}/new", {"json": {"index": "other"}})
    yield Case(
        "change-if", "PUT", f"{path}/new", {"json": {"gender": "none"}, "headers": {"If-Match": '"x"'}}
    )
    yield Case("archive", "GET", f"{path}.zip", {"params": {"index": "exampleA"}})
    yield Case("delete-shipped", "DELETE", f"{path}/exampleA")
    yield Case("delete", "DELETE", f"{path}/new")
    yield Case("delete-again", "DELETE", f"{path}/new")
    yield Case("import-bad", "POST", f"{path}/import", {"files": {"archive": ("v.zip", b"no zip")}})


def words() -> Iterator[Case]:
    path, word = "/api/v1/lexicon", {"reading": "lun2 du2"}  # no other chapter says 轮渡
    says = "轮渡来了。"
    yield Case("empty", "GET", path)
    yield Case("put", "PUT", f"{path}/轮渡", {"json": word})
    yield Case("put-bad", "PUT", f"{path}/轮渡", {"json": {"reading": "x9"}})
    yield Case("put-nothing", "PUT", f"{path}/轮渡", {"json": {}})
    yield Case("get", "GET", f"{path}/轮渡")
    yield Case("one", "GET", path)
    yield _say("said", says)
    yield _post("shown", "/api/v1/text/normalize", {"input_text": says})
    yield Case("delete", "DELETE", f"{path}/轮渡")
    yield Case("gone", "GET", f"{path}/轮渡")
    yield Case("readings", "GET", "/api/v1/text/readings", {"params": {"word": "重庆"}})
    for number, text in enumerate((*TEXTS, *REFUSED_TEXTS)):
        yield _post(f"normalize-{number}", "/api/v1/text/normalize", {"input_text": text})
    for number, text in enumerate(SSML):
        yield _post(
            f"normalize-ssml-{number}", "/api/v1/text/normalize", {"input_text": text, "input_type": "ssml"}
        )


def recent() -> Iterator[Case]:
    named = {"X-Request-Id": "frozen-recent"}
    body = {"input_text": LONG, "index": "exampleA", "response_format": "mp3", "subtitle": "srt"}
    yield _post("speak", "/api/v1/tts", body, **named)
    for kind in FORMATS:
        yield Case(f"as-{kind}", "GET", "/api/v1/audio/frozen-recent", {"params": {"format": kind}})
    yield Case("as-it-was", "GET", "/api/v1/audio/frozen-recent")
    wav = {"params": {"format": "wav"}, "headers": {"Range": "bytes=100-299"}}
    yield Case("part", "GET", "/api/v1/audio/frozen-recent", wav)
    far = {"params": {"format": "wav"}, "headers": {"Range": "bytes=99999999-"}}
    yield Case("too-far", "GET", "/api/v1/audio/frozen-recent", far)
    for rest in ("subtitles.srt", "subtitles.vtt", "timestamps", "verified"):
        yield Case(rest, "GET", f"/api/v1/audio/frozen-recent/{rest}")
    yield Case("unknown", "GET", "/api/v1/audio/nothing")


def _openai(**fields: Any) -> dict[str, Any]:
    return {"model": "glm-tts", "input": NI_HAO, "voice": "exampleA", "response_format": "wav", **fields}


def openai() -> Iterator[Case]:
    path = "/v1/audio/speech"
    for kind in FORMATS:
        for more in ({}, {"stream": False}, {"stream_format": "sse"}):
            yield _post(f"{kind}-{'-'.join(more)}", path, _openai(response_format=kind, **more))
    bodies: list[dict[str, Any]] = [
        *({"voice": name} for name in ("alloy", {"id": "exampleB"}, "af_sky", "tongtong", "nobody", 3, None)),
        *({"speed": speed} for speed in (0.5, 4, 5)),
        *({"input": text} for text in ("", MARKED, "好" * 301, None)),
        *(
            {"seed": 7},
            {"seed": -1},
            {"timestamps": "word", "stream_format": "sse"},
            {"extra": 1},
            {"model": 3},
        ),
        *({"stream_format": "sse", "stream": False}, {"response_format": "m4a"}, {"task_type": "x"}),
    ]
    for number, fields in enumerate(bodies):
        yield _post(f"fields-{number}-{next(iter(fields))}", path, _openai(**fields))
    yield Case("bad", "POST", path, {"content": b"{", "headers": {"Content-Type": "application/json"}})
    for route in (
        "models",
        "models/glm-tts",
        "models/tts-1",
        "models/x",
        "audio/models",
        "audio/voices",
        "nothing",
        "audio/voices?legacy=true",
        "models/zai-org/GLM-TTS",
        "models/a%0Ab",
        "readyz",
    ):
        yield Case(f"get-{route}", "GET", f"/v1/{route}")


def openai_voices() -> Iterator[Case]:
    sample = {"audio_sample": ("a.wav", voice_wav(3.0))}
    consent = {"data": {"name": "Me", "language": "zh"}, "files": {"recording": ("a.wav", voice_wav(3.0))}}
    yield Case("consent", "POST", "/v1/audio/voice_consents", consent)
    yield Case("consents", "GET", "/v1/audio/voice_consents")
    voice_data = {"name": "mine", "consent": "any", **PROMPT}
    yield Case("add-voice", "POST", "/v1/audio/voices", {"data": voice_data, "files": sample})
    yield Case("add-voice-no-words", "POST", "/v1/audio/voices", {"data": {"name": "m2"}, "files": sample})
    yield Case("delete-voice", "DELETE", "/v1/audio/voices/mine")


def zhipu() -> Iterator[Case]:
    path = "/api/paas/v4"
    fields: dict[str, Any] = {"model": "glm-tts", "input": NI_HAO, "voice": "tongtong"}
    bodies: list[dict[str, Any]] = [
        *({}, {"response_format": "wav"}, {"response_format": "pcm"}, {"response_format": "mp3"}),
        *({"stream": True, "encode_format": kind} for kind in ("base64", "hex", "x")),
        *({"speed": speed} for speed in (0.5, 2, 3)),
        *({"volume": volume, "response_format": "wav"} for volume in (0.5, 10, 0, 11)),
        *({"voice": "nobody"}, {"voice": "female"}, {"input": ""}, {"input": "好" * 301}, {"extra": 1}),
    ]
    for number, more in enumerate(bodies):
        yield _post(f"speech-{number}-{'-'.join(more)}", f"{path}/audio/speech", {**fields, **more})


def zhipu_voices() -> Iterator[Case]:
    path = "/api/paas/v4"
    upload = {"data": {"purpose": "voice-clone-input"}, "files": {"file": ("a.wav", voice_wav(3.0))}}
    yield Case("file", "POST", f"{path}/files", upload, keeps="id")
    cloned = {
        "model": "glm-tts-clone",
        "voice_name": "mine",
        "file_id": "{id}",
        "text": "每一个字。",
        "input": "试听",
    }
    yield _post("clone", f"{path}/voice/clone", cloned)
    yield _post("clone-nothing", f"{path}/voice/clone", {**cloned, "file_id": "file-0"})
    yield Case("list", "GET", f"{path}/voice/list")
    yield _post("delete", f"{path}/voice/delete", {"voice": "mine"})
    yield _post("delete-again", f"{path}/voice/delete", {"voice": "mine"})
    yield Case("nothing", "GET", f"{path}/nothing")


def elevenlabs() -> Iterator[Case]:
    path = "/v1/text-to-speech/exampleA"
    for kind in ELEVEN:
        body = {"json": {"text": NI_HAO}, "params": {"output_format": kind}}
        yield Case(kind, "POST", path, body)
        yield Case(f"{kind}-stream", "POST", f"{path}/stream", body)
    bodies: list[dict[str, Any]] = [
        *(
            {"voice_settings": {"speed": 2, "style": 1}},
            {"voice_settings": {"speed": 9}},
            {"voice_settings": 3},
        ),
        *({"seed": 7}, {"text": ""}, {"text": None}, {"model_id": "eleven_v3"}, {"extra": 1}),
    ]
    for number, more in enumerate(bodies):
        yield _post(f"fields-{number}-{next(iter(more))}", path, {"text": NI_HAO, **more})
    yield Case("bad-format", "POST", path, {"json": {"text": NI_HAO}, "params": {"output_format": "x"}})
    yield _post("nobody", "/v1/text-to-speech/nobody", {"text": NI_HAO})
    yield _post("no-times", f"{path}/with-timestamps", {"text": NI_HAO})
    for route in ("v1/voices", "v1/voices/exampleB", "v1/voices/nobody", "v2/voices", "v2/voices?search=B"):
        yield Case(f"get-{route}", "GET", f"/{route}")


def compatible() -> Iterator[Case]:
    sovits: dict[str, Any] = {
        "text": NI_HAO,
        "text_lang": "zh",
        "ref_audio_path": "x/exampleA.wav",
        "prompt_lang": "zh",
    }
    bodies: list[dict[str, Any]] = [
        *({"media_type": kind} for kind in ("wav", "raw", "ogg", "aac", "x")),
        *({"streaming_mode": mode, "media_type": "raw"} for mode in (1, 3, "true", "x")),
        *(
            {"speed_factor": 2},
            {"speed_factor": 9},
            {"seed": 7},
            {"seed": -1},
            {"ref_audio_path": "nobody.wav"},
        ),
        *({"text": ""}, {"ref_audio_path": ""}, {"text_lang": "ja"}),
    ]
    for number, more in enumerate(bodies):
        yield Case(f"get-{number}-{'-'.join(more)}", "GET", "/tts", {"params": {**sovits, **more}})
    yield _post("post", "/tts", sovits)
    yield _post("post-root", "/", sovits)
    yield _post("index-stream", "/tts", {"text": NI_HAO, "character": "exampleA"})
    yield Case("speakers", "GET", "/speakers")
    captioned: list[dict[str, Any]] = [
        {},
        {"response_format": "pcm"},
        {"stream": False},
        {"voice": "nobody"},
        {"input": ""},
    ]
    for number, more in enumerate(captioned):
        yield _post(f"captioned-{number}", "/dev/captioned_speech", _openai(**more))


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def sockets() -> Iterator[Case]:
    end = {"type": "end"}
    starts: list[dict[str, Any]] = [
        *(
            {},
            {"voice": "exampleB"},
            {"response_format": "wav"},
            {"response_format": "mp3"},
            {"sample_rate": 32000},
        ),
        *(
            {"speed": 2},
            {"seed": 7},
            {"timestamps": "word"},
            {"timestamps": "segment", "response_format": "flac"},
        ),
    ]
    for number, start in enumerate(starts):
        told = (
            {"type": "start", "voice": "exampleA", **start},
            *map(_text, (LONG[:5], LONG[5:30], LONG[30:])),
            end,
        )
        yield Case(f"start-{number}-{'-'.join(start)}", "WS", "/v1/audio/speech/stream", messages=told)
    flushed = (_text("好的"), {"type": "flush"}, _text("再见"), end)
    yield Case("flush", "WS", "/v1/audio/speech/stream", messages=flushed)
    yield Case("no-start", "WS", "/v1/audio/speech/stream", messages=(_text(HELLO), end))
    yield Case("silence", "WS", "/v1/audio/speech/stream", messages=(_text("。"), end))
    wrong: tuple[Any, ...] = (
        *(
            "{",
            "[]",
            {"type": "say"},
            {"text": "hello"},
            {"type": "text", "text": 3},
            {"type": "start", "speed": 9},
        ),
        *({"type": "start", "voice": "nobody"}, {"type": "start", "sampel_rate": 1}),
    )
    for number, message in enumerate(wrong):
        yield Case(
            f"wrong-{number}", "WS", "/v1/audio/speech/stream", messages=(message, end), until="error done"
        )


def jobs() -> Iterator[Case]:
    path, book = "/api/v1/jobs", "# 春天\n\n江南的春天来得很早。\n\n小王：你好！\n\n# 夏天\n\n天气热了。"
    refused: list[dict[str, Any]] = [
        {"index": None},
        {"index": "nobody"},
        {"speed": 9},
        {"cast": "no"},
        {"pauses": {"x": 1}},
    ]
    for number, fields in enumerate(refused):
        yield _post(f"refused-{number}", path, {"input_text": "你好", "index": "exampleA", **fields})
    cast = {"旁白": "exampleA", "小王": "exampleB"}
    body = {"input_text": book, "index": "exampleA", "cast": cast, "pauses": {"chapter": 1}, "title": "江南"}
    yield Case("begin", "POST", path, {"json": body}, keeps="id")
    yield Case("done", "GET", f"{path}/{{id}}", until_state="done")
    for kind in ("wav", "mp3", "m4b"):
        yield Case(kind, "GET", f"{path}/{{id}}/audio", {"params": {"format": kind}})
    yield Case("louder", "GET", f"{path}/{{id}}/audio", {"params": {"format": "wav", "loudness": -16}})
    for rest in ("subtitles.srt", "subtitles.vtt", "chapters.json", "verified"):
        yield Case(rest, "GET", f"{path}/{{id}}/{rest}")
    yield Case("list", "GET", path)
    yield Case("pause", "POST", f"{path}/{{id}}/pause")
    yield Case("delete", "DELETE", f"{path}/{{id}}")
    yield Case("gone", "GET", f"{path}/{{id}}")


def pages() -> Iterator[Case]:
    for path in (
        "/",
        "/docs",
        "/health",
        "/api/v1/health",
        "/api/v1/health/live",
        "/api/v1/stats/concurrency",
    ):
        yield Case(path, "GET", path)
    yield Case("clear", "POST", "/api/v1/clear_cache")
    origin = {"Origin": "http://evil.example"}
    yield Case(
        "cors", "OPTIONS", "/api/v1/tts", {"headers": {**origin, "Access-Control-Request-Method": "POST"}}
    )
    yield Case("host", "GET", "/api/v1/prompts", {"headers": {"Host": "evil.example"}})
    yield Case("evil-write", "DELETE", "/api/v1/lexicon/x", {"headers": origin})
    yield Case("too-large", "POST", "/api/v1/tts", {"content": b"x" * 2**21})


CHAPTERS = (
    *(own_texts, own_formats, own_options, own_bodies, uploads, voices, words, recent),
    *(openai, openai_voices, zhipu, zhipu_voices, elevenlabs, compatible, sockets, jobs, pages),
)
EVERY = 6  # of the cases of a chapter that need no other, one in six is in the short form
# Chapters whose cases need each other.
WHOLE = ("voices", "openai_voices", "zhipu_voices", "words", "recent", "jobs")


def cases(short: bool = False) -> dict[str, list[Case]]:
    """All cases by their chapters; with `short` some 60 of them, which need no other."""
    chapters: dict[str, Iterable[Case]] = {chapter.__name__: chapter() for chapter in CHAPTERS}
    found = {name: list(chapter) for name, chapter in chapters.items()}
    if short:
        found = {name: chapter[::EVERY] for name, chapter in found.items() if name not in WHOLE}
    for name, chapter in found.items():
        assert len({case.name for case in chapter}) == len(chapter), f"two cases of {name} have one name"
    return found


def described(case: Case) -> str:
    """The request in one line, for a reader of a difference."""
    return f"{case.method} {case.path} {json.dumps(case.options, ensure_ascii=False, default=repr)[:200]}"
