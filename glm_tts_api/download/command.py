"""Downloads the official GLM-TTS checkpoint, about 9 GB, into ckpt/.

Can be interrupted and repeated: complete files stay, and a partial file goes on where it stopped. Every file
is checked for its size and checksum. HF_ENDPOINT and MODELSCOPE_ENDPOINT name mirrors. HF_TOKEN is sent if it
is set.
Exit codes: 0 all files are there; 1 a file cannot be had or is damaged; 2 no room on the disk, or no consent.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from glm_tts_api.commands import START
from glm_tts_api.download.transfer import RemoteFile, fetch, get_json, is_complete, part_of
from glm_tts_api.errors import Failed, StartupError

MODEL_FOLDERS = ("llm", "flow", "hift", "vocos2d", "speech_tokenizer", "vq32k-phoneme-tokenizer")
SPEAKER_ENCODER = "campplus.onnx"
_PLAIN_NAME = re.compile(r"(?!\.\.?$)[^/\\\x00-\x1f]+")  # a part of a path that cannot leave its folder
_RESERVE_BYTES = 1_000_000_000  # must stay free on the disk


def _on_huggingface(repository: str) -> Iterator[RemoteFile]:
    """Yields the files of a repository on huggingface.co, or on the mirror that HF_ENDPOINT names. A page of
    the listing names the next one in its Link header."""
    endpoint, token = _endpoint("HF_ENDPOINT", "https://huggingface.co"), os.environ.get("HF_TOKEN", "")
    url: str | None = f"{endpoint}/api/models/{repository}/tree/main?recursive=true"
    while url is not None:
        is_there = urllib.parse.urlsplit(url).netloc == urllib.parse.urlsplit(endpoint).netloc
        entries, headers = get_json(url, token=token if is_there else "")
        for entry in entries:
            if entry["type"] == "file":
                yield RemoteFile(
                    path=entry["path"],
                    url=f"{endpoint}/{repository}/resolve/main/{urllib.parse.quote(entry['path'])}",
                    size=int(entry["size"]),
                    checksum=entry.get("lfs", entry).get("oid", ""),
                    token=token,
                )
        following = re.search(r'<([^>]+)>;\s*rel="next"', headers.get("link", ""))
        url = urllib.parse.urljoin(url, following[1]) if following else None


def _on_modelscope(repository: str) -> Iterator[RemoteFile]:
    """Yields the files of a repository on modelscope.cn, or on the mirror that MODELSCOPE_ENDPOINT names."""
    endpoint = _endpoint("MODELSCOPE_ENDPOINT", "https://www.modelscope.cn")
    base = f"{endpoint}/api/v1/models/{repository}/repo"
    answer: Any = get_json(f"{base}/files?Revision=master&Recursive=true")[0]
    for entry in answer["Data"]["Files"]:
        if entry["Type"] == "blob":
            query = urllib.parse.urlencode({"Revision": "master", "FilePath": entry["Path"]})
            yield RemoteFile(entry["Path"], f"{base}?{query}", int(entry["Size"]), entry.get("Sha256") or "")


@dataclass(frozen=True)
class Hub:
    """A hub. `model` and `speaker_encoder` are the repositories to use, `files` lists a repository."""

    model: str
    speaker_encoder: str
    files: Callable[[str], Iterator[RemoteFile]]

    def wanted_files(self) -> list[RemoteFile]:
        """Returns the files that the server loads: the model's folders without their Python files, and the
        speaker encoder. The path of each is its place in the checkpoint folder.

        Raises Failed if the hub lists a file name that would be outside the checkpoint folder, or no
        file of one of the folders.
        """
        wanted = [
            file
            for file in self.files(self.model)
            if PurePosixPath(file.path).parts[0] in MODEL_FOLDERS and not file.path.endswith(".py")
        ]
        wanted += [
            replace(file, path=f"frontend/{SPEAKER_ENCODER}")
            for file in self.files(self.speaker_encoder)
            if file.path == SPEAKER_ENCODER
        ]
        for file in wanted:
            if not all(map(_PLAIN_NAME.fullmatch, PurePosixPath(file.path).parts)):
                raise Failed(
                    f"The hub lists a file with an impossible name, {file.path!r}; nothing was fetched. "
                    "Try another --source or another mirror."
                )
        found = {PurePosixPath(file.path).parts[0] for file in wanted}
        if missing := [name for name in (*MODEL_FOLDERS, "frontend") if name not in found]:
            raise Failed(f"{self.model} no longer lists: {', '.join(missing)}. Try another --source.")
        return wanted


HUBS = {
    "huggingface": Hub("zai-org/GLM-TTS", "FunAudioLLM/CosyVoice-300M", _on_huggingface),
    "modelscope": Hub("ZhipuAI/GLM-TTS", "iic/CosyVoice-300M", _on_modelscope),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", choices=list(HUBS), default="huggingface", help="default: huggingface")
    parser.add_argument("--dir", type=Path, default=Path("ckpt"), help="where to put it; default: ckpt")
    parser.add_argument("--with-voices", action="store_true", help="also the model's own example prompts")
    parser.add_argument("--yes", action="store_true", help="agree to the example prompts' licence unasked")


def run(arguments: argparse.Namespace) -> int:
    """Downloads the files that the arguments ask for, and prints the progress. Returns the exit code."""
    try:
        _download(HUBS[arguments.source], arguments.dir)
        if arguments.with_voices:
            from glm_tts_api.download.voices import fetch_voices  # needs more than the standard library

            fetch_voices(consent=arguments.yes)
    except (Failed, StartupError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2 if isinstance(error, StartupError) else 1
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _download(hub: Hub, target: Path) -> None:
    """Downloads the missing files of the checkpoint into `target`. Raises Failed or StartupError."""
    wanted = hub.wanted_files()
    total = sum(file.size for file in wanted)
    print(f"{hub.model}: {len(wanted)} files, {total / 1e9:.2f} GB, into {target}", flush=True)
    todo = []
    for file in wanted:
        if is_complete(file, target / file.path):
            print(f"  {file.path}: is there", flush=True)
        else:
            todo.append(file)
    target.mkdir(parents=True, exist_ok=True)
    _require_room(todo, target)
    for file in todo:
        fetch(file, target / file.path)
    print(f"{len(wanted)} files are there, sizes and checksums right. Next: {START}")


def _require_room(todo: list[RemoteFile], target: Path) -> None:
    parts = [part_of(target / file.path) for file in todo]
    begun = sum(part.stat().st_size for part in parts if part.exists())
    needed = sum(file.size for file in todo) - begun + _RESERVE_BYTES
    free = shutil.disk_usage(target).free
    if todo and free < needed:
        raise StartupError(
            f"Not enough room in {target}: {needed / 1e9:.1f} GB needed (1 GB of it to spare), "
            f"{free / 1e9:.1f} GB free. Make room, or choose another place with --dir (and MODEL_DIR)."
        )


def _endpoint(variable: str, default: str) -> str:
    return (os.environ.get(variable) or default).rstrip("/")


if __name__ == "__main__":  # of scripts/download_model.sh
    parser = argparse.ArgumentParser(
        prog="bash scripts/download_model.sh",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    sys.exit(run(parser.parse_args()))
