"""The answers of a server to the cases, one row of the table for each.

A row: status; the headers that mean something; the body. A body without loss is a SHA-256 of what it says:
samples, text, or JSON without what differs each time. Lossy audio is its decoded length and its level. The
samples of every 20 ms are kept beside the hash: a CPU of another kind than the table's (ONNX Runtime chooses
its kernels by itself) may give samples that differ by -66 dB of full scale.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import numpy.typing as npt
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.api.server_process import REPOSITORY, Server
from tests.api.waiting import wait_until
from tests.frozen.cases import Case

# Every machine computes as one with AVX2 alone, in one thread.
ENVIRON = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2"}
SETTINGS = {
    "device": "cpu",
    "dtype": "fp32",
    "cpu_threads": 1,
    "text_length_threshold": 30,
    "max_text_length": 300,
}
LOSSY = ("audio/mpeg", "audio/ogg", "audio/opus", "audio/aac", "audio/mp4", "audio/webm")
NEAR = 16  # of 32768: -66 dB
_OF_THE_MACHINE = ("/api/v1/health", "/api/v1/stats/concurrency")
_ALWAYS = {  # with these values every answer has them
    "content-security-policy": "frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_APART = 480  # samples between two that are kept
_UNTOLD = {"date", "server", "x-generation-time", "etag", "last-modified", "connection", "transfer-encoding"}
_CHANGING = {
    *("generation_time", "rtf", "created", "created_at", "create_time", "update_time", "updated_at", "etag"),
    *("uptime_s", "version", "id", "file_id", "eta_s", "freed_bytes", "freed", "bytes", "expires_at"),
}
_ID = re.compile(r"\b[0-9a-f]{32}\b|[\d.]+ [MG]B|voice-clone-[\w-]+|\b\d{10,}\b|127\.0\.0\.1:\d+")


@dataclass(frozen=True)
class Row:
    """An answer. `samples`: the base64 of each 480th sample, 16 bit."""

    status: int
    headers: str
    body: str
    samples: str = ""

    def differs_from(self, frozen: Row, same_kind: bool) -> str:
        """What of this row is not as in the table, or an empty text."""
        told = [name for name in ("status", "headers") if getattr(self, name) != getattr(frozen, name)]
        if self.body != frozen.body and (same_kind or not _are_near(self.samples, frozen.samples)):
            told.append("body")
        return "\n".join(f"  {name}: {getattr(frozen, name)}\n   now: {getattr(self, name)}" for name in told)


def cpu_kind() -> str:
    """The CPU's model and instructions, as a hash: ONNX Runtime and oneDNN choose their kernels by these."""
    told = re.findall(r"\n((?:model|flags)\s*:.*)", Path("/proc/cpuinfo").read_text())[:2]
    return _digest("\n".join(told).encode())


@contextmanager
def serving(
    app: str = "glm_tts_api.api_server:app", environ: dict[str, str] | None = None, **settings: Any
) -> Iterator[Server]:
    """A server of the bundled model with the shipped voices."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        server = Server(root, app, environ={**ENVIRON, **(environ or {})}, **{**SETTINGS, **settings})
        try:
            for shipped in (REPOSITORY / "configs").iterdir():
                target = root / "configs" / shipped.name
                if target.is_dir():
                    shutil.copytree(shipped, target, dirs_exist_ok=True)
                elif target.exists() or shipped.is_file():
                    shutil.copyfile(shipped, target)
            server.wait_until_all_speak(180)
            yield server
        finally:
            server.end()


def answers(server: Server, chapter: str, cases: list[Case]) -> dict[str, Row]:
    """The rows of the cases of a chapter, asked one after the other."""
    kept: dict[str, str] = {}
    rows = {}
    for case in cases:
        name = f"{chapter}/{case.name}"
        case = replace(case, **_filled(kept, path=case.path, options=case.options))
        rows[name] = _socket(server, case) if case.method == "WS" else _http(server, case, name, kept)
    return rows


def _filled(kept: dict[str, str], **parts: Any) -> dict[str, Any]:
    """The parts with what earlier answers gave in the place of {name}."""

    def fill(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: fill(each) for name, each in part.items()}
        for name, value in kept.items():
            part = part.replace(f"{{{name}}}", value) if isinstance(part, str) else part
        return part

    return {name: fill(part) for name, part in parts.items()}


def _http(server: Server, case: Case, name: str, kept: dict[str, str]) -> Row:
    number = hashlib.sha256(name.encode()).hexdigest()[:12]
    headers = {"X-Request-Id": f"frozen-{number}", **case.options.get("headers", {})}
    options = {**case.options, "headers": headers, "timeout": 300}

    def asked() -> list[httpx.Response]:
        answer = server.client.request(case.method, case.path, **options)
        return [answer] if not case.until_state or answer.json()["state"] == case.until_state else []

    (answer,) = wait_until(asked, 1800)  # a job beside others waits for its turns
    if case.keeps:
        kept[case.keeps] = str(answer.json()[case.keeps])
    kind = answer.headers.get("content-type", "").partition(";")[0]
    body, samples = _body(kind, answer)
    return Row(answer.status_code, _headers(answer, kind), body, samples)


def _headers(answer: httpx.Response, kind: str) -> str:
    told = dict(answer.headers)
    lines = [f"no {name}" for name in _ALWAYS if name not in told]
    is_as_long = kind.startswith("audio/") and kind not in (*LOSSY, "audio/flac")
    unsaid = _UNTOLD if is_as_long else {*_UNTOLD, "content-length"}
    for name, value in sorted(told.items()):
        if name not in unsaid and _ALWAYS.get(name) != value:
            lines.append(f"{name}={_ID.sub('*', value)}")
    return "; ".join(lines)


def _socket(server: Server, case: Case) -> Row:
    """The messages of a conversation as its body, with the hash of all audio."""
    url = f"{server.client.base_url}".replace("http", "ws", 1).rstrip("/") + case.path
    told: list[Any] = []
    audio = b""
    with connect(url, proxy=None, max_size=None) as client:
        with suppress(ConnectionClosed):  # by the server, which has said why
            for message in case.messages:
                client.send(message if isinstance(message, str) else json.dumps(message))
        while not told or told[-1].get("type") not in case.until.split():
            frame = client.recv(timeout=120)
            if isinstance(frame, bytes):
                audio += frame
            else:
                told.append(json.loads(frame))
    kinds = " ".join(str(message.get("type")) for message in told)
    wanted = [
        message for message in case.messages if isinstance(message, dict) and message.get("type") == "start"
    ]
    formats = {message.get("response_format", "pcm") for message in wanted} or {"pcm"}
    sound, samples = _audio(audio, formats.pop()) if audio else ("", "")
    return Row(101, kinds, f"{_json(told)} {sound}".strip(), samples)


def _body(kind: str, answer: httpx.Response) -> tuple[str, str]:
    content = answer.content
    if kind == "text/event-stream" or (kind == "application/json" and b"}\n{" in content):
        return _events(answer.text)
    if kind == "application/json":
        value: Any = json.loads(content) if content else {}
        audio = isinstance(value, dict) and (value.pop("audio_base64", "") or value.pop("audio", ""))
        sound, samples = _audio(base64.b64decode(audio), "wav") if audio else ("", "")
        said = (value.get("message") or value.get("error") or value) if answer.is_error else ""
        shown = f" {str(said)[:160]}" if said else ""
        is_steady = answer.request.url.path not in _OF_THE_MACHINE
        return f"{_json(value, is_steady)} {sound}".strip() + _ID.sub("*", shown), samples
    if kind == "application/zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return " ".join(f"{each.filename}:{each.CRC:08x}" for each in archive.infolist()), ""
    if kind.startswith("audio/") and answer.status_code == 200 and content:
        return _audio(content, kind.removeprefix("audio/"))
    text = _ID.sub("*", answer.text).encode() if kind.startswith("text/") else content
    return _digest(text) if text else "empty", ""


def _events(text: str) -> tuple[str, str]:
    """Audio in pieces, joined, and the names of the fields around it; pieces may be cut anywhere."""
    audio, times, names = b"", [], set()
    for line in text.splitlines():
        line = line.removeprefix("data:").strip()
        if not line.startswith("{"):
            names.add(line)
            continue
        event = json.loads(line)
        delta = (event.get("choices") or [{}])[0].get("delta", {}).get("content", "")
        piece = event.get("audio") or delta
        audio += bytes.fromhex(piece) if re.fullmatch("[0-9a-f]*", piece) else base64.b64decode(piece)
        times.append(event.get("timestamps"))
        names.update(event)
        names.add(str(event.get("type", "")))
    magic = {b"RIFF": "wav", b"fLaC": "flac", b"OggS": "ogg"}.get(audio[:4])
    magic = magic or ("mpeg" if audio[:3] == b"ID3" or audio[:1] == b"\xff" else "pcm")
    sound, samples = _audio(audio, magic) if audio else ("", "")
    shown = " ".join(sorted(name for name in names if name))
    return f"{_digest(json.dumps([each for each in times if each]).encode())} {sound} {shown}", samples


def _audio(content: bytes, kind: str) -> tuple[str, str]:
    """The hash of the samples and some of them; of lossy audio its seconds and its level."""
    if kind in ("pcm", "L16"):
        samples = np.frombuffer(content[: len(content) // 2 * 2], "<i2")
    else:
        samples = _decoded(content, {"PCMU": "mulaw"}.get(kind))
    level = 20 * np.log10(max(1.0, float(np.sqrt(np.mean(samples.astype(float) ** 2)))) / 32768)
    kept = base64.b64encode(samples[::_APART].astype("<i2").tobytes()).decode()
    if any(kind in each for each in LOSSY) or kind in ("mp3", "m4b"):
        return f"{len(samples)} samples, {level:.0f} dB", ""
    exact = content if kind in ("wav", "x-wav", "pcm", "L16") else samples.astype("<i2").tobytes()
    return f"{_digest(exact)} {len(samples)}", kept


def _decoded(content: bytes, container: str | None) -> npt.NDArray[np.int16]:
    with av.open(io.BytesIO(content), format=container) as file:
        resampler = av.AudioResampler("s16", "mono")
        frames = [piece for frame in file.decode(audio=0) for piece in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.int16)


def _json(value: Any, has_values: bool = True) -> str:
    """The hash of JSON without what differs each time; without `has_values` of its names alone."""

    def steady(part: Any) -> Any:
        if not has_values and not isinstance(part, dict):
            return type(part).__name__
        if isinstance(part, dict):
            return {key: "*" if key in _CHANGING else steady(each) for key, each in part.items()}
        if isinstance(part, list):
            return [steady(each) for each in part]
        return _ID.sub("*", part) if isinstance(part, str) else part

    return _digest(json.dumps(steady(value), sort_keys=True, ensure_ascii=False).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _are_near(now: str, frozen: str) -> bool:
    one, other = (np.frombuffer(base64.b64decode(each), "<i2").astype(int) for each in (now, frozen))
    return bool(len(one) == len(other) > 0 and np.abs(one - other).max() <= NEAR)
