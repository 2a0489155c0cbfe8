"""The two hubs that have the official files, and how each lists them. Uses only the standard library."""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol

from glm_tts_api.download.transfer import DownloadError, RemoteFile, get_json

MODEL_FOLDERS = ("llm", "flow", "hift", "vocos2d", "speech_tokenizer", "vq32k-phoneme-tokenizer")
SPEAKER_ENCODER = "campplus.onnx"
_PLAIN_NAME = re.compile(r"(?!\.\.?$)[^/\\\x00-\x1f]+")  # a part of a path that cannot leave its folder


class Hub(Protocol):
    """A hub that lists and serves repositories of files. `model` and `speaker_encoder` are the repositories
    to use."""

    model: str
    speaker_encoder: str

    def files(self, repository: str) -> list[RemoteFile]: ...


class HuggingFace:
    """Lists the files of a repository on huggingface.co, or on the mirror that HF_ENDPOINT names."""

    model = "zai-org/GLM-TTS"
    speaker_encoder = "FunAudioLLM/CosyVoice-300M"

    def __init__(self) -> None:
        self._endpoint = _endpoint("HF_ENDPOINT", "https://huggingface.co")
        self._token = os.environ.get("HF_TOKEN", "")

    def files(self, repository: str) -> list[RemoteFile]:
        return [
            RemoteFile(
                path=entry["path"],
                url=f"{self._endpoint}/{repository}/resolve/main/{urllib.parse.quote(entry['path'])}",
                size=int(entry["size"]),
                sha256=entry.get("lfs", {}).get("oid"),
                git_sha1=entry.get("oid"),
                token=self._token,
            )
            for entry in self._entries(repository)
            if entry["type"] == "file"
        ]

    def _entries(self, repository: str) -> Iterator[dict[str, Any]]:
        """Yields the entries of the repository's listing. The listing has pages; each names the next one in
        its Link header."""
        url: str | None = f"{self._endpoint}/api/models/{repository}/tree/main?recursive=true"
        while url is not None:
            same_host = urllib.parse.urlsplit(url).netloc == urllib.parse.urlsplit(self._endpoint).netloc
            entries, headers = get_json(url, token=self._token if same_host else "")
            yield from entries
            following = re.search(r'<([^>]+)>;\s*rel="next"', headers.get("link", ""))
            url = urllib.parse.urljoin(url, following[1]) if following else None


class ModelScope:
    """Lists the files of a repository on modelscope.cn, or on the mirror that MODELSCOPE_ENDPOINT names."""

    model = "ZhipuAI/GLM-TTS"
    speaker_encoder = "iic/CosyVoice-300M"

    def __init__(self) -> None:
        self._endpoint = _endpoint("MODELSCOPE_ENDPOINT", "https://www.modelscope.cn")

    def files(self, repository: str) -> list[RemoteFile]:
        base = f"{self._endpoint}/api/v1/models/{repository}/repo"
        answer, _ = get_json(f"{base}/files?Revision=master&Recursive=true")
        return [
            RemoteFile(
                path=entry["Path"],
                url=f"{base}?{urllib.parse.urlencode({'Revision': 'master', 'FilePath': entry['Path']})}",
                size=int(entry["Size"]),
                sha256=entry.get("Sha256") or None,
            )
            for entry in answer["Data"]["Files"]
            if entry["Type"] == "blob"
        ]


HUBS: dict[str, type[Hub]] = {"huggingface": HuggingFace, "modelscope": ModelScope}


@dataclass(frozen=True)
class Wanted:
    """A remote file, and its path in the checkpoint folder."""

    file: RemoteFile
    place: PurePosixPath


def wanted_files(hub: Hub) -> list[Wanted]:
    """Returns the files that the server loads: the model's folders without their Python files, and the
    speaker encoder.

    Raises DownloadError if the hub lists a file name that would be outside the checkpoint folder.
    """
    wanted = [
        Wanted(file, _place(file.path))
        for file in hub.files(hub.model)
        if PurePosixPath(file.path).parts[0] in MODEL_FOLDERS and not file.path.endswith(".py")
    ]
    wanted += [
        Wanted(file, PurePosixPath("frontend") / SPEAKER_ENCODER)
        for file in hub.files(hub.speaker_encoder)
        if file.path == SPEAKER_ENCODER
    ]
    return wanted


def _place(path: str) -> PurePosixPath:
    place = PurePosixPath(path)
    if not all(_PLAIN_NAME.fullmatch(part) for part in place.parts):
        raise DownloadError(
            f"The hub lists a file with an impossible name, {path!r}; nothing was fetched. "
            "Try another --source or another mirror."
        )
    return place


def missing_parts(wanted: list[Wanted]) -> list[str]:
    """Returns the names of the checkpoint's folders for which `wanted` has no file."""
    found = {item.place.parts[0] for item in wanted}
    return [name for name in (*MODEL_FOLDERS, "frontend") if name not in found]


def _endpoint(variable: str, default: str) -> str:
    return (os.environ.get(variable) or default).rstrip("/")
