"""Runs what a person does, as a script of browser/, in a real browser."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.api.waiting import wait_until

HERE = Path(__file__).parent
PROGRAMS = {
    "chrome": shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"),
    "firefox": shutil.which("firefox-esr") or shutil.which("firefox"),
}
HOW = "Debian, Ubuntu: apt install chromium firefox-esr pulseaudio nodejs npm"


def missing() -> str:
    """What keeps every test of this kind from running; empty if nothing does."""
    if shutil.which("node") is None:
        return f"node is missing ({HOW})"
    if not (HERE / "node_modules/puppeteer-core").exists():
        return "puppeteer-core is missing: bash scripts/test.sh installs it where npm is"
    return "" if any(PROGRAMS.values()) else f"no browser is here ({HOW})"


def in_browser(script: str, browser: str, url: str, out: Path, **environ: str) -> None:
    """Runs browser/`script`, which saves files to `out`, with node's test runner; skips without
    the browser."""
    program = PROGRAMS[browser]
    if program is None:
        pytest.skip(f"{browser} is missing ({HOW})")
    said = out / "node.txt"  # not a pipe, which a browser that is left over would keep open
    has_sound: AbstractContextManager[dict[str, str]] = (
        sound_server(out) if browser == "firefox" else nullcontext({})
    )
    with has_sound as sound, said.open("wb") as log:
        done = subprocess.run(
            ["node", "--test", "--test-reporter=spec", f"browser/{script}"],
            cwd=HERE,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(out),
                "STUDIO_URL": url,
                "BROWSER": browser,
                "BROWSER_PATH": program,
                "OUT": str(out),
                **sound,
                **environ,
            },
            stdout=log,
            stderr=log,
            timeout=400,
            check=False,
        )
    assert done.returncode == 0, said.read_text()


@contextmanager
def sound_server(folder: Path) -> Iterator[dict[str, str]]:
    """For Firefox, whose clock of sound stands still without a sound card: one that nobody hears."""
    if shutil.which("pulseaudio") is None:
        pytest.skip(f"pulseaudio is missing ({HOW})")
    socket = folder / "pulse/native"
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PULSE_RUNTIME_PATH": str(socket.parent)}
    # The socket last: when it is there, so is the sink.
    modules = [f"--load={module}" for module in ("module-null-sink", "module-native-protocol-unix")]
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", *modules]
    with (folder / "pulseaudio.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        wait_until(socket.exists)
        yield {"PULSE_SERVER": f"unix:{socket}"}
    finally:
        process.kill()
        process.wait()
