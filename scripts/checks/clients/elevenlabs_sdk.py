"""Speaks through ElevenLabs' Python package: as a whole answer if FILE is a WAV file, else as a stream."""

from __future__ import annotations

from pathlib import Path

from elevenlabs.client import ElevenLabs
from heard import FILE, TEXT, URL, keep_pcm

client = ElevenLabs(base_url=URL, api_key="any")
assert "exampleA" in {voice.voice_id for voice in client.voices.search(search="example").voices}
if FILE.endswith(".wav"):
    keep_pcm(b"".join(client.text_to_speech.convert("exampleA", text=TEXT, output_format="pcm_16000")), 16000)
else:
    Path(FILE).write_bytes(b"".join(client.text_to_speech.stream("exampleA", text=TEXT)))
