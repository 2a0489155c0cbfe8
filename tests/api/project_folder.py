"""A project folder for a server of these tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.recordings import voice_wav


def project(root: Path, **settings: Any) -> Path:
    """A project folder with two shipped voices and these settings in its .env."""
    prompts = root / "configs" / "prompts"
    prompts.mkdir(parents=True)
    entries = []
    for name in ("exampleA", "exampleB"):
        (prompts / f"{name}.wav").write_bytes(voice_wav(2.0))
        entries.append(
            f'"{name}": {{"prompt_audio_path": "prompts/{name}.wav", "prompt_text": "text of {name}"}}'
        )
    (root / "configs" / "prompt_cache.json").write_text("{" + ", ".join(entries) + "}")
    lines = [f"{name.upper()}={value}\n" for name, value in settings.items()]
    (root / ".env").write_text("".join(lines))
    return root
