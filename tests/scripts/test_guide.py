"""The service guide's commands as they are written there: default port, default settings, bundled model.

They run in a namespace of processes and network of their own, so that `pkill` meets none but our server and
port 8049 is free.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from tests.scripts.own_project import LIMIT_S, REPOSITORY, Project

PROGRAMS = ("unshare", "ps", "pkill", "curl")
LOOPBACK_UP = (
    "import fcntl, socket, struct; "
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14x', b'lo', 0x1 | 0x40))"
)
COMMANDS = r"""
part() { printf '\n## %s\n' "$1"; }
gone() { ! ps aux | grep uvicorn | grep -q api_server; }
healthy() { curl -sf http://localhost:8049/api/v1/health; }
wait_until() {
  for _ in {1..1000}; do
    "$@" && return 0
    sleep 0.2
  done
  return 1
}

part "restart"
SHORT_TEXT_CONCURRENCY=15 LONG_TEXT_CONCURRENCY=5 bash restart_api.sh
part "processes"
ps aux | grep uvicorn | grep api_server
part "health"
curl -s http://localhost:8049/api/v1/health
part "stats"
curl -s http://localhost:8049/api/v1/stats/concurrency
part "speech"
curl -s -X POST http://localhost:8049/api/v1/tts \
  -F "input_text=测试文本" \
  -F "index=exampleA" \
  -F "sample_rate=24000" | cut -c -300
part "log"
tail -50 api_server.log
part "errors in the log"
grep -i error api_server.log || true
part "memory by hand"
(source .venv/bin/activate && python3 -c "import torch; torch.cuda.empty_cache()")
part "pkill"
pkill -f "uvicorn.*api_server"
wait_until gone
part "start"
bash start_api.sh >foreground.txt 2>&1 &
wait_until healthy || cat foreground.txt
part "kill"
kill "$(cat run/api_server.pid)"
wait_until gone
part "done"
"""


def can_unshare() -> bool:
    if os.geteuid() != 0 or any(shutil.which(program) is None for program in PROGRAMS):
        return False
    tried = subprocess.run(
        ["unshare", "--pid", "--net", "--fork", "--mount-proc", "true"], capture_output=True
    )
    return tried.returncode == 0


@pytest.mark.skipif(not can_unshare(), reason=f"needs root, namespaces and {', '.join(PROGRAMS)}")
def test_every_command_of_the_guide(project: Project) -> None:
    commands = project.root / "guide.sh"
    commands.write_text(f'set -eu\n{REPOSITORY}/.venv/bin/python -c "{LOOPBACK_UP}"\n{COMMANDS}')
    kept = {name: value for name, value in project.environment().items() if name in ("PATH", "HOME")}
    result = subprocess.run(
        ["unshare", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "bash", commands],
        cwd=project.root,
        env={**kept, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
    )
    titles_and_parts = re.split(r"^## (.+)\n", result.stdout, flags=re.MULTILINE)[1:]
    parts = {title: said.strip() for title, said in zip(*[iter(titles_and_parts)] * 2, strict=True)}
    assert "done" in parts, result.stdout
    assert "RTF" in parts["restart"]
    assert len(parts["processes"].splitlines()) == 1
    assert "uvicorn glm_tts_api.api_server:app" in parts["processes"]
    assert '"status":"healthy","model_loaded":true,"model_sample_rate":24000' in parts["health"]
    assert '"prompt_cache_count":6' in parts["health"]
    assert '"short_text":{"active":0,"total":0,"limit":15,"available":15' in parts["stats"]
    assert parts["speech"].replace(" ", "").startswith('{"success":true,')
    assert "outcome=completed" in parts["log"]
    assert parts["errors in the log"] == ""
    assert (project.root / "out/hello.wav").stat().st_size > 1000
