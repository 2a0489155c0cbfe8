"""The studio's modules that need no page, under node's own test runner."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def test_the_modules_that_need_no_page(node: str) -> None:
    files = sorted(HERE.glob("*.test.js"))
    assert files
    # All in one process: `node --test` starts one for each file.
    imports = "".join(f"import {json.dumps(file.as_uri())};" for file in files)
    command = [node, "--input-type=module", "-e", imports]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
