"""What is in the sdist and the wheel, and what they say of themselves."""

from __future__ import annotations

import email
import re
import subprocess
import tarfile
import zipfile

from glm_tts_api import __version__
from tests.installed.distributions import PACKAGES, REPOSITORY, Distributions


def files_of_the_package() -> set[str]:
    """As git knows them; those of configs/ under glm_tts_api/configs, which is a link to it, or under
    speech_text/assets/dictionaries, whose files are links to some of them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PACKAGES, "configs"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {name for name in listed.stdout.split("\0") if (REPOSITORY / name).is_file()}
    names -= {f"configs/{path.name}" for path in (REPOSITORY / "speech_text/assets/dictionaries").iterdir()}
    return {re.sub("^configs/", "glm_tts_api/configs/", name) for name in names}


def test_wheel_and_sdist_hold_every_file_of_the_package(built: Distributions) -> None:
    wanted = files_of_the_package()
    assert "glm_tts_api/configs/prompt_cache.json" in wanted
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert names == wanted
        for name in wanted:
            assert wheel.read(name) == (REPOSITORY / name).read_bytes(), name
    with tarfile.open(built.sdist) as sdist:
        assert wanted <= {name.partition("/")[2] for name in sdist.getnames()}


def test_one_version_number(built: Distributions) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        described = email.message_from_bytes(wheel.read(metadata))
    assert described["Version"] == __version__
    assert __version__ not in (REPOSITORY / "pyproject.toml").read_text()
