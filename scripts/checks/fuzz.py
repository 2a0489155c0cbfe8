"""Fuzzes every parser of bytes or text from outside with hypothesis: `pytest scripts/checks/fuzz.py`.

A fault is an exception that the parser should not raise, or an input that takes too much CPU time. Each
parser gets inputs for FUZZ_SECONDS (5). scripts/checks/soak.sh runs this file, too.
"""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from msgspec import msgpack

from bench.torture_texts import tortures
from glm_tts_api.api.keys import read_keys
from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.audio.measure import trimmed
from glm_tts_api.engine.frames import TO_SERVER, decoder
from glm_tts_api.engine.messages import DropRecording, ToEngine
from glm_tts_api.errors import ServiceError
from glm_tts_api.http.body import read_json
from glm_tts_api.longform.cast import read_cast, read_pauses
from glm_tts_api.longform.reading import read_book
from glm_tts_api.voices.index import VoiceIndex, parse_entries
from speech_text import Lexicon, ReadingOptions, SentenceSplitter, TextError, TextFrontend, with_marks
from speech_text.marks import voices_in, without_marks
from tests.longform.test_epub import packed
from tests.recordings import encoded, encoded_by_ffmpeg, png, voice

SECONDS = float(os.environ.get("FUZZ_SECONDS", "5"))  # for each parser
FUZZED = settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
MOST_S = 5.0  # CPU seconds of one input
_LONGEST = 2**16  # bytes of an input; the text front end accepts 20,000 characters
_WITH_LIBSNDFILE = (
    *(("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE", "ULAW", "MS_ADPCM")),
    *(("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16")),
    *(("W64", "PCM_16"), ("RF64", "PCM_16"), ("CAF", "PCM_16"), ("AU", "PCM_16")),
)
_WITH_FFMPEG = (
    *(("ipod", "aac"), ("webm", "libopus"), ("matroska", "pcm_s16le"), ("adts", "aac"), ("flac", "flac")),
    *(("mp4", "aac"), ("avi", "pcm_s16le"), ("mpegts", "aac")),
)
_NO_AUDIO = (
    *(b"\0", b"\xff" * 2**12, b"PK\x03\x04" + bytes(200), b"OggS" + bytes(27), b"fLaC" + b"\xff" * 500),
    *(b"#EXTM3U\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n"),
    *(b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", b"\x1aE\xdf\xa3" + b"\xff" * 300),
    *(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(500), b"RIFF\xff\xff\xff\xffWAVE" + bytes(100)),
)
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
Target = tuple[Callable[[bytes], object], Sequence[bytes], list[type[Exception]]]
_EXTREMES = [number.to_bytes(size, "little") for size in (1, 2, 4) for number in (0, 1, 2 ** (8 * size) - 1)]
_EDITS = st.tuples(
    st.floats(0, 1, exclude_max=True) | st.floats(0, 0.02),  # sizes and counts stand at a file's beginning
    st.sampled_from((0, 1, 2, 4, 16, 512, 2**14)),
    st.sampled_from(_EXTREMES) | st.binary(max_size=64) | st.just(b""),
)


def _edited(data: bytes, edits: Sequence[tuple[float, int, bytes]]) -> bytes:
    """`data` with bytes cut out and put in, each time at a part of its length."""
    for place, n_cut, put in edits:
        at = int(place * len(data))
        data = data[:at] + put + data[at + n_cut :]
    return data[:_LONGEST]


def spoilt(files: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Files that are damaged, joined, or as they are."""
    whole = st.integers(0, len(files) - 1).map(lambda number: files[number])  # a short repr
    one = st.builds(_edited, whole, st.lists(_EDITS, max_size=4))
    cut = st.builds(lambda data, part: data[: int(part * len(data))], one, st.floats(0, 1))
    return one | cut | st.builds(lambda first, second: (first + second)[:_LONGEST], cut, one)


@cache
def recordings() -> list[bytes]:
    """Whole files of many containers, and files that are no usable recording."""
    rate, said = 24000, voice(1.5)
    strange = np.array([np.nan, np.inf, -np.inf, 1e38] * 12000, np.float32)
    return [
        *(encoded(said, rate, kind, subtype=subtype) for kind, subtype in _WITH_LIBSNDFILE),
        *(encoded_by_ffmpeg(said, rate, muxer, codec) for muxer, codec in _WITH_FFMPEG),
        encoded(np.stack([said] * 2, axis=1), rate, "WAV", subtype="PCM_16"),
        *(encoded(silent, rate, "WAV") for silent in (np.zeros(48000, np.float32), said[:200])),
        encoded(strange, rate, "WAV", subtype="FLOAT"),
        encoded(np.zeros(60 * 8000 * 60, np.int16), 8000, "FLAC"),  # an hour
        *(*_NO_AUDIO, png()),
    ]


def _texts() -> list[bytes]:
    return [text.encode() for text in _TEXTS] + [case.text.encode() for case in tortures(1, 40, 120)]


def _read(frontend: TextFrontend, data: bytes) -> None:
    options = ReadingOptions(bool(len(data) % 2), verbatim=("read", "short", "skip")[len(data) % 3])
    frontend.read(data.decode(errors="replace"), options).shown()


def _marked(data: bytes) -> None:
    text = data.decode(errors="replace")
    for parse in (voices_in, without_marks, with_marks):
        parse(text)


def _cut(data: bytes) -> None:
    """Pushes a text in pieces into a SentenceSplitter, and asserts that no character is lost or added."""
    text, splitter = data.decode(errors="replace"), SentenceSplitter()
    step = 1 + len(data) % 7
    pieces = [each for at in range(0, len(text), step) for each in splitter.push(text[at : at + step])]
    assert "".join("".join([*pieces, splitter.flush()]).split()) == "".join(text.split())


def _framed(data: bytes) -> None:
    for its in (decoder(ToEngine), TO_SERVER):
        its.decode(data)


def _indexed(data: bytes) -> None:
    index = VoiceIndex(Path("none.json"), folders=(Path("/nowhere"),), max_characters=500)
    for name, item in parse_entries(data).items():
        index.entry_of(name, item)


def _keys(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    read_keys(file)


def _cast(data: bytes) -> None:
    for read in (read_cast, read_pauses):
        with suppress(ServiceError):
            read(data.decode(errors="replace"))


def _zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", bytes(2**22))
    return buffer.getvalue()


def _target(name: str, folder: Path) -> Target:
    """Returns the parser `name`, inputs to begin with, and the errors that it may raise beside a
    ServiceError."""
    if name in ("default", "published"):
        frontend = TextFrontend(cache_dir=folder, rules=name, max_characters=20_000)  # type: ignore[arg-type]
        return partial(_read, frontend), _texts(), [TextError]
    if name.startswith("a."):
        books = {"a.epub": [packed(), _zip_bomb()], "a.srt": [_SRT.encode()], "a.md": _texts()}
        plain = [*_texts(), _TEXTS[0].encode("gb18030"), _TEXTS[0].encode("utf-16")]
        return lambda data: read_book(data, name), books.get(name, plain), []
    message, spoken = msgpack.encode(DropRecording("digest")), msgpack.encode({"type": "Speak", "number": 1})
    bodies = [json.dumps({"input_text": text, "seed": 1, "speed": 1.5}).encode() for text in _TEXTS]
    targets: dict[str, Target] = {
        "marks": (_marked, _texts(), [TextError]),
        "sentences": (_cut, _texts(), []),
        "recordings": (
            lambda data: trimmed(data, decode_audio(data, RecordingLimits())),
            [each for each in recordings() if len(each) < _LONGEST],
            [],
        ),
        "JSON bodies": (read_json, bodies, []),
        "messages of engines": (_framed, [message, spoken, message * 2], [ValueError]),
        "prompt_cache.json": (_indexed, [json.dumps(_ENTRIES).encode()], [ValueError]),
        "lexicon": (
            lambda data: Lexicon().entry(json.loads(data)),
            [b'{"word": "\xe9\x87\x8d", "reading": "chong2"}'],
            [ValueError, RecursionError],
        ),
        "API_KEYS_FILE": (partial(_keys, folder / "keys.toml"), [_KEYS.encode()], [ValueError]),
        "cast and pauses": (_cast, [b'{"A": "exampleA"}', b'{"paragraph": 0.5}'], []),
    }
    return targets[name]


@pytest.mark.parametrize(
    "name",
    [
        *("default", "published", "marks", "sentences", "recordings", "JSON bodies", "a.epub", "a.md"),
        *("a.srt", "a.txt", "messages of engines", "prompt_cache.json", "lexicon", "API_KEYS_FILE"),
        "cast and pauses",
    ],
)
def test_no_input_is_a_fault_of_its_parser(name: str, tmp_path: Path) -> None:
    parse, files, errors = _target(name, tmp_path)
    texts = st.text(max_size=200).map(lambda text: text.encode(errors="replace"))

    @given(spoilt(files) | spoilt(files) | texts | st.binary(max_size=400))
    @settings(FUZZED, max_examples=100, phases=(Phase.generate, Phase.shrink))
    def read(data: bytes) -> None:
        began = time.process_time()
        with suppress(ServiceError, *errors):
            parse(data)
        assert time.process_time() - began < MOST_S, f"{len(data)} bytes"

    until, batch = time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        seed(batch := batch + 1)(read)()
