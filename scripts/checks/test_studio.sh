#!/usr/bin/env bash
# What takes too long for the tests of the studio: Lighthouse's scores of it on a laptop and on a phone, and what a
# browser keeps of a text of some twenty minutes.
#
#   bash scripts/checks/test_studio.sh [URL]       URL of a running server; without, one is started for it
#
# Needs chromium, node and npm. Exit codes: 1, a score is below 95 or the page grew too large; 2, something is
# missing here.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"
source scripts/lib/own_server.sh
source scripts/lib/studio_tools.sh

take_arguments 1 "$@"
require_chromium
URL="${1:-}"
[[ -n $URL ]] || start_server
say "== Lighthouse"
in_chromium lighthouse.js "$WORK"
say "== a long text"
# Slowly, since a text of more than 2,000 characters becomes a book.
TEXT="[[speed 0.5]]$(printf '第1234天，收入98765.4元，支出87654.3元。%.0s' {1..68})" LOOK_EVERY_S=10 in_chromium long_text.js "$WORK"
