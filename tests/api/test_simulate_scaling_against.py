"""bench/simulate_scaling.py beside a real service, which here speaks tones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.asking import MIX
from tests.api.running import Running


def test_the_simulation_is_set_beside_what_a_real_service_did(server: Running, tmp_path: Path) -> None:
    level = {"concurrency": 1, "audio_s": [0.5, 0.5]}
    (tmp_path / "serve.json").write_text(json.dumps({"levels": [level]}))
    stream = {"concurrency": 1, "audio_s_per_s": 20.0, "first_audio_p50_s": 0.01}
    (tmp_path / "streams.json").write_text(json.dumps({"streams": [stream]}))
    files = (tmp_path / "serve.json", tmp_path / "streams.json")
    done = subprocess.run(
        [sys.executable, "-m", "bench.simulate_scaling", *files, "--against", server.url, "--requests", "20"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    _, asked, *figures = done.stdout.splitlines()
    assert asked.endswith("20 answered")
    assert [line.split(":")[0] for line in figures] == [
        "first_audio_p50",
        "first_audio_p95",
        "latency_p50",
        "latency_p95",
    ]
    assert {asked.text for asked in server.engine.requests} == set(MIX[:2]), "those that were measured"
