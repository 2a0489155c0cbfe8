"""Downloads the official GLM-TTS checkpoint, about 9 GB, into ckpt/.

Can be interrupted and repeated: complete files stay, and a partial file goes on where it stopped. Every file
is checked for its size and checksum. HF_ENDPOINT and MODELSCOPE_ENDPOINT name mirrors. HF_TOKEN is sent if it
is set.
Exit codes: 0 all files are there; 1 a file cannot be had or is damaged; 2 no room on the disk, or no consent.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from glm_tts_api.commands import START
from glm_tts_api.download.hubs import HUBS, Hub, Wanted, missing_parts, wanted_files
from glm_tts_api.download.transfer import DownloadError, fetch, is_complete

RESERVE_BYTES = 1_000_000_000  # must stay free on the disk


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", choices=list(HUBS), default="huggingface", help="default: huggingface")
    parser.add_argument("--dir", type=Path, default=Path("ckpt"), help="where to put it; default: ckpt")
    parser.add_argument("--with-voices", action="store_true", help="also the model's own example prompts")
    parser.add_argument("--yes", action="store_true", help="agree to the example prompts' licence unasked")


def run(arguments: argparse.Namespace) -> int:
    """Downloads the files that the arguments ask for, and prints the progress. Returns the exit code."""
    try:
        _download(HUBS[arguments.source](), arguments.dir)
        if arguments.with_voices:
            from glm_tts_api.download.voices import fetch_voices  # needs more than the standard library

            fetch_voices(consent=arguments.yes)
    except DownloadError as error:
        print(f"\n{error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _download(hub: Hub, target: Path) -> None:
    """Downloads the missing files of the checkpoint into `target`. Raises DownloadError."""
    wanted = wanted_files(hub)
    if missing := missing_parts(wanted):
        raise DownloadError(f"{hub.model} no longer lists: {', '.join(missing)}. Try another --source.")
    total = sum(item.file.size for item in wanted)
    print(f"{hub.model}: {len(wanted)} files, {total / 1e9:.2f} GB, into {target}", flush=True)
    todo = [item for item in wanted if not _is_there(item, target)]
    _require_room(todo, target)
    for item in todo:
        fetch(item.file, target / item.place)
    print(f"{len(wanted)} files are there, sizes and checksums right. Next: {START}")


def _is_there(item: Wanted, target: Path) -> bool:
    path = target / item.place
    if not is_complete(item.file, path):
        return False
    print(f"  {item.place}: is there", flush=True)
    return True


def _require_room(todo: list[Wanted], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    here = [target / item.place for item in todo]
    begun = sum(
        part.stat().st_size for path in here if (part := path.with_name(path.name + ".part")).exists()
    )
    needed = sum(item.file.size for item in todo) - begun + RESERVE_BYTES
    free = shutil.disk_usage(target).free
    if todo and free < needed:
        raise DownloadError(
            f"Not enough room in {target}: {needed / 1e9:.1f} GB needed (1 GB of it to spare), "
            f"{free / 1e9:.1f} GB free. Make room, or choose another place with --dir (and MODEL_DIR).",
            exit_code=2,
        )
