#!/usr/bin/env bash
# Writes constraints.txt, the lock: the version of each package that the server and the extras of pyproject.toml need,
# one for Python 3.11, 3.12 and 3.13. All scripts that install packages into .venv install these versions.
#
#   bash scripts/make/lock.sh                          after a change of pyproject.toml; keeps the other versions
#   bash scripts/make/lock.sh --upgrade                takes the newest versions
#   bash scripts/make/lock.sh --upgrade-package httpx  takes the newest version of one package
#
# Options are those of `uv pip compile`. uv reads its own settings, not those of pip: UV_DEFAULT_INDEX is the address of
# a mirror, UV_CONSTRAINT a file with bounds. NVIDIA's packages are left out, because each build of PyTorch names their
# versions by itself.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"

show_help "$@"
[[ -x $VENV/bin/uv ]] || ensure_venv dev
UV_FORK_STRATEGY="${UV_FORK_STRATEGY:-fewest}" "$VENV/bin/uv" pip compile pyproject.toml --all-extras --universal \
  --python-version 3.11 --no-annotate --quiet --custom-compile-command "bash scripts/make/lock.sh" \
  --output-file constraints.txt "$@"
sed -i '/^\(cuda\|nvidia\)-/d' constraints.txt
