"""What deploy/, the Dockerfile and compose.yaml say is what their own tools accept, and fits the server."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from glm_tts_api.settings import Settings

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
UNIT = ROOT / "deploy/systemd/glm-tts.service"
COMPOSE = ["compose.yaml", "compose.cuda.yaml"]
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def directive(name: str) -> str:
    (value,) = re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)
    return str(value)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with the program where it is installed here."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/glm-tts/.venv/bin/", f"{BIN}/"))
    return unit


@needs_systemd
def test_systemd_understands_every_line_of_the_unit(unit: Path) -> None:
    done = run("systemd-analyze", "verify", "--recursive-errors=no", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_systemd_calls_the_unit_well_confined(unit: Path) -> None:
    """1.3 of 10 with systemd 257; the threshold is in tenths."""
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)
    assert done.returncode == 0, done.stdout


def test_the_unit_starts_again_what_crashed_and_leaves_alone_what_cannot_start() -> None:
    assert directive("Restart") == "on-failure"
    assert directive("RestartPreventExitStatus").split() == ["2", "3"]  # cli.py


def test_both_give_the_server_the_time_that_it_may_take_to_drain() -> None:
    drain_s = Settings.model_fields["drain_timeout"].default
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert int(directive("TimeoutStopSec")) >= drain_s + 10
    assert int(compose["services"]["glm-tts"]["stop_grace_period"].removesuffix("s")) >= drain_s + 10


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = run(BIN / "hadolint", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


def test_compose_files_follow_the_compose_specification() -> None:
    done = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", *COMPOSE)
    assert done.returncode == 0, done.stdout


def test_what_compose_mounts_from_the_repository_is_there() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    mounts = [volume for service in services.values() for volume in service["volumes"]]
    sources = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert len(sources) == 4
    assert [source for source in sources if not (ROOT / source).exists()] == []
