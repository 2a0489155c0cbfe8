#!/usr/bin/env bash
# Builds the website of docs/ in both languages into build/site. Fails if a link has no target.
#
#   bash scripts/docs.sh        then open build/site/index.html
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

take_arguments 0 "$@"
ensure_venv docs
"$PYTHON" -m scripts.make.site_pages
NO_MKDOCS_2_WARNING=1 "$PYTHON" -m mkdocs build --strict --quiet
say "build/site/index.html"
