"""bench/simulate_scaling.py beside a real service, which here speaks tones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.serve import MIX
from tests.api.running import Running

SCRIPT = Path(__file__).parents[2] / "bench/simulate_scaling.py"


def test_the_simulation_is_set_beside_what_a_real_service_did(server: Running, tmp_path: Path) -> None:
    level = {"concurrency": 1, "audio_s": [0.5, 0.5]}
    (tmp_path / "serve.json").write_text(json.dumps({"levels": [level]}))
    stream = {"concurrency": 1, "audio_s_per_s": 20.0, "first_audio_p50_s": 0.01}
    (tmp_path / "streams.json").write_text(json.dumps({"streams": [stream]}))
    done = subprocess.run(
        [sys.executable, SCRIPT, "serve.json", "streams.json", "--against", server.url, "--requests", "20"],
        cwd=tmp_path,
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
