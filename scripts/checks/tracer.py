"""Notes the functions of the project that one process calls, and the types of the project that it makes.

scripts/checks/trace_request.py copies this file as sitecustomize.py into a folder that is first in a server's
PYTHONPATH, so each Python process of that server runs it. A process notes its calls while the folder of
TRACE_FOLDER has a file `on`, and writes <pid>.json there once that file is gone.
"""

import json
import os
import re
import sys
import threading
import time
from pathlib import Path
from types import FrameType

PACKAGES = ("glm_tts_api", "speech_text")
_OURS = re.compile(rf"/((?:{'|'.join(PACKAGES)})/.*)\.py$")  # a file of ours, in a checkout or a wheel
_FOLDER = Path(os.environ["TRACE_FOLDER"])
_functions: dict[str, int] = {}  # "file name" -> its lines
_types: set[str] = set()
_on = threading.Event()


def _note(frame: FrameType, event: str, _: object) -> None:
    code = frame.f_code
    if not _on.is_set() or event != "call":
        return
    if code.co_name == "__init__" and code.co_varnames:
        kind = type(frame.f_locals.get(code.co_varnames[0]))
        if str(kind.__dict__.get("__module__")).startswith(PACKAGES):
            _types.add(f"{kind.__module__}.{kind.__qualname__}")
    # No file: the methods that dataclass writes. "<": comprehensions and lambdas.
    if (ours := _OURS.search(code.co_filename)) and not code.co_name.startswith("<"):
        module = ours[1].replace("/", ".")
        last = max(line or 0 for _, _, line in code.co_lines())
        _functions[f"{module} {code.co_qualname}"] = last - code.co_firstlineno + 1


def _watch() -> None:
    while not (_FOLDER / "on").exists():
        time.sleep(0.05)
    _on.set()
    while (_FOLDER / "on").exists():
        time.sleep(0.05)
    _on.clear()
    found = {"functions": dict(_functions), "types": sorted(_types)}
    part = _FOLDER / f"{os.getpid()}.part"
    part.write_text(json.dumps(found))
    part.rename(part.with_suffix(".json"))


threading.setprofile(_note)
sys.setprofile(_note)
threading.Thread(target=_watch, daemon=True).start()
