"""The files that ship with the package, and the files of a project folder that hold settings."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from glm_tts_api.errors import StartupError, quote

_PACKAGE = Path(__file__).parents[1]
BUNDLED_MODEL = _PACKAGE / "assets" / "mini"
SHIPPED_CONFIGS = _PACKAGE / "configs"  # in a clone a link to the configs/ at its top


class SettingsError(StartupError):
    """A line for every invalid variable: its name, its value, the allowed values."""


def setting_files(root: Path) -> tuple[Path, ...]:
    """The .env of the project folder `root`, there or not, and the file of the preset, if one is named.

    Raises SettingsError for a preset that is none, and for a file in another encoding than UTF-8.
    """
    _require_utf8(root / ".env")
    files = (root / ".env", *_preset_file(root))
    _require_utf8(files[-1])
    return files


def _require_utf8(file: Path) -> None:
    """Raises SettingsError for a file that an editor has saved in another encoding (GBK, UTF-16)."""
    try:
        file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{file}: line {line} is not UTF-8; save the file as UTF-8") from None
    except OSError:
        pass  # none there, which is usual


def _preset_file(root: Path) -> tuple[Path, ...]:
    """The file that PRESET names, in the environment or in .env."""
    name = os.environ.get("PRESET") or dotenv_values(root / ".env").get("PRESET")
    if not name:
        return ()
    folders = (SHIPPED_CONFIGS, root / "configs")  # the later one wins
    presets = {path.stem: path for folder in folders for path in (folder / "presets").glob("*.env")}
    if name not in presets:
        choice = ", ".join(sorted(presets)) or "(configs/presets holds none)"
        raise SettingsError(f"PRESET='{quote(name)}': must be one of {choice}")
    return (presets[name],)
