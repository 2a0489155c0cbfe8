"""The files that ship with the package, and the files of a project folder that hold settings."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from glm_tts_api.errors import StartupError, quote

_PACKAGE = Path(__file__).parents[1]
BUNDLED_MODEL = _PACKAGE / "assets" / "mini"
SHIPPED_CONFIGS = _PACKAGE / "configs"  # in a clone, a link to the top folder configs/


class SettingsError(StartupError):
    """The settings are invalid. The message has a line for each invalid variable, with its name, its value
    and the allowed values."""


def setting_files(root: Path) -> tuple[Path, ...]:
    """Returns the files that hold settings: .env in the project folder `root`, even if it does not exist, and
    the file of the preset if PRESET names one.

    Raises SettingsError for an unknown preset, and for a file that cannot be read as settings.
    """
    _require_readable(root / ".env")
    files = (root / ".env", *_preset_file(root))
    _require_readable(files[-1])
    return files


def _require_readable(file: Path) -> None:
    """Raises SettingsError if the file is not UTF-8, because an editor has saved it as GBK or UTF-16, or if
    one of its lines is no setting."""
    try:
        with file.open(encoding="utf-8") as text:
            broken = next((line for line in parse_stream(text) if line.error), None)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{file}: line {line} is not UTF-8; save the file as UTF-8") from None
    except OSError:
        return  # there is no such file, which is usual
    if broken is not None:
        raise SettingsError(
            f"{file}: line {broken.original.line} is no setting: '{quote(broken.original.string.strip())}'. "
            "Write NAME=value, with a quote at both ends or none, or begin the line with #"
        )


def _preset_file(root: Path) -> tuple[Path, ...]:
    """Returns the file of the preset that PRESET names, in the environment or in .env, as a tuple of one. The
    tuple is empty if PRESET is unset. Raises SettingsError for an unknown name."""
    name = os.environ.get("PRESET") or dotenv_values(root / ".env").get("PRESET")
    if not name:
        return ()
    folders = (SHIPPED_CONFIGS, root / "configs")  # the later one wins
    presets = {path.stem: path for folder in folders for path in (folder / "presets").glob("*.env")}
    if name not in presets:
        choice = ", ".join(sorted(presets)) or "(configs/presets holds none)"
        raise SettingsError(f"PRESET='{quote(name)}': must be one of {choice}")
    return (presets[name],)
