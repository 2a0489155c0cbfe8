"""The functions that parse bytes or text from outside, each with example inputs from which fuzzing starts."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from msgspec import msgpack

from bench.torture_texts import tortures
from glm_tts_api.api.keys import read_keys
from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.audio.measure import trimmed
from glm_tts_api.engine.frames import TO_ENGINE, TO_SERVER, Frames, frame
from glm_tts_api.engine.messages import BrokenMessage, Forget
from glm_tts_api.errors import ServiceError
from glm_tts_api.http.body import read_json
from glm_tts_api.longform.cast import read_cast, read_pauses
from glm_tts_api.longform.reading import read_book
from glm_tts_api.voices.index import VoiceIndex, parse_entries
from scripts.checks.torture.spoilt import never_audio, whole_files
from speech_text import (
    Lexicon,
    ReadingOptions,
    RuleSet,
    SentenceSplitter,
    TextError,
    TextFrontend,
    with_marks,
)
from speech_text.marks import voices_in, without_marks
from tests.longform.test_epub import packed

Parse = Callable[[bytes], object]
_LIMITS = RecordingLimits()
_TEXTS = (
    "今天气温23.5°C，2024-01-05 10:30，比分3:2，电话13812345678，重庆[[重庆|chong2 qing4]]的行长。",
    "Dr. Smith paid $3.50 for 1/2 lb. at 10:30 a.m. on Jan. 5th, 2024; see https://a.example.org/x?y=1#z.",
    "# Title\n\n- one\n- two\n\n| a | b |\n|---|---|\n\n> [[pause 0.8]] [[voice exampleB]]",
    "<speak><p>你好 <break time='1s'/><say-as interpret-as='digits'>123</say-as></p></speak>",
    "\u200d\ufe0f1️⃣ 👨‍👩‍👧 e\u0301 \u202e ½ Ⅳ ９１ ㎡ \ufdfa \x00 \ud7ff",
)
_SRT = "1\n00:00:01,000 --> 00:00:02,000\n<i>你好</i>\n\n2\n00:00:03,000 --> 00:00:04,000\nbye\n"
_KEYS = f'[app]\nsha256 = "{"ab" * 32}"\nplaces = 4\nvoices = ["exampleA"]\nrequests_a_minute = 60\n'
_ENTRIES = {"a": {"prompt_audio_path": "recordings/a.wav", "prompt_text": "said", "consent": ""}}


@dataclass(frozen=True)
class Target:
    """A parser to fuzz. `parse` may raise a ServiceError or one of `errors`; any other exception is a fault.

    `seeds` are the example inputs.
    """

    name: str
    parse: Parse
    seeds: Sequence[bytes]
    errors: tuple[type[Exception], ...] = ()


def _texts() -> list[bytes]:
    return [text.encode() for text in _TEXTS] + [case.text.encode() for case in tortures(1, 40, 120)]


def _reader(rules: RuleSet, folder: Path) -> Parse:
    frontend = TextFrontend(cache_dir=folder, rules=rules, max_characters=20_000)

    def read(data: bytes) -> None:
        options = ReadingOptions(
            use_phoneme=bool(len(data) % 2), verbatim=("read", "short", "skip")[len(data) % 3]
        )
        frontend.read(data.decode(errors="replace"), options).shown()

    return read


def _marked(data: bytes) -> None:
    text = data.decode(errors="replace")
    voices_in(text)
    without_marks(text)
    with_marks(text)


def _cut(data: bytes) -> None:
    """Pushes a text in pieces into a SentenceSplitter, and asserts that no character is lost or added."""
    text, splitter = data.decode(errors="replace"), SentenceSplitter()
    step = 1 + len(data) % 7
    pieces = [each for at in range(0, len(text), step) for each in splitter.push(text[at : at + step])]
    said = "".join("".join([*pieces, splitter.flush()]).split())
    assert said == "".join(text.split()), "the sentences are not the text"


def _recorded(data: bytes) -> None:
    trimmed(data, decode_audio(data, _LIMITS))


def _book(name: str) -> Parse:
    return lambda data: read_book(data, name)


def _framed(data: bytes) -> None:
    for decoder in (TO_ENGINE, TO_SERVER):
        list(Frames(decoder).push(data))


def _indexed(data: bytes) -> None:
    index = VoiceIndex(Path("none.json"), folders=(Path("/nowhere"),), max_characters=500)
    for name, item in parse_entries(data).items():
        index.entry_of(name, item)


def _entry(data: bytes) -> None:
    Lexicon().entry(json.loads(data))


def _keys(folder: Path) -> Parse:
    file = folder / "keys.toml"

    def read(data: bytes) -> None:
        file.write_bytes(data)
        read_keys(file)

    return read


def _cast(data: bytes) -> None:
    for read in (read_cast, read_pauses):
        with suppress(ServiceError):
            read(data.decode(errors="replace"))


def targets() -> list[Target]:
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    markdown = _TEXTS[2].encode()
    message = bytes(frame(Forget("digest")))
    spoken = msgpack.encode({"type": "Speak", "number": 1})
    json_bodies = [json.dumps({"input_text": text, "seed": 1, "speed": 1.5}).encode() for text in _TEXTS]
    return [
        Target("text, our rules", _reader("default", folder), _texts(), (TextError,)),
        Target("text, published rules", _reader("published", folder), _texts(), (TextError,)),
        Target("marks and SSML", _marked, _texts(), (TextError,)),
        Target("sentences of a socket", _cut, _texts()),
        Target("recordings", _recorded, [*whole_files(), *never_audio()[:-4]]),
        Target("JSON bodies", read_json, json_bodies),
        Target(".epub", _book("a.epub"), [packed(), _zip_bomb()]),
        Target(".md", _book("a.md"), [markdown, *_texts()]),
        Target(".srt", _book("a.srt"), [_SRT.encode()]),
        Target(".txt", _book("a.txt"), [*_texts(), _TEXTS[0].encode("gb18030"), _TEXTS[0].encode("utf-16")]),
        Target("messages of engines", _framed, [message, spoken, message * 2], (BrokenMessage,)),
        Target("prompt_cache.json", _indexed, [json.dumps(_ENTRIES).encode()], (ValueError,)),
        Target(
            "lexicon",
            _entry,
            [b'{"word": "\xe9\x87\x8d", "reading": "chong2"}'],
            (ValueError, RecursionError),
        ),
        Target("API_KEYS_FILE", _keys(folder), [_KEYS.encode()], (ValueError,)),
        Target("cast and pauses", _cast, [b'{"A": "exampleA"}', b'{"paragraph": 0.5}']),
    ]


def _zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", bytes(2**22))
    return buffer.getvalue()
