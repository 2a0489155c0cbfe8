#!/usr/bin/env bash
# Tests of the studio (the web page) that take too long for the test suite: its Lighthouse scores on a laptop and on a
# phone, and the memory that a browser needs for a text of about twenty minutes.
#
#   bash scripts/checks/test_studio.sh [URL]       URL of a running server; without URL a server is started
#
# Needs chromium, node and npm. Exit codes: 1, a score is below 95 or the page needs too much memory; 2, a program is
# missing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"
source scripts/lib/own_server.sh
source scripts/lib/studio_tools.sh

take_arguments 1 "$@"
require_chromium
URL="${1:-}"
# On a busy machine the long text may take longer than the server's usual time-outs.
[[ -n $URL ]] || FLOW_STEPS=1 LONG_TEXT_TIMEOUT=7200 start_server
say "== Lighthouse"
in_chromium lighthouse.js "$WORK"
say "== a long text"
# The text is spoken slowly, since a text of more than 2,000 characters would become a book.
TEXT="[[speed 0.5]]$(printf '第1234天，收入98765.4元，支出87654.3元。%.0s' {1..68})" LOOK_EVERY_S=10 in_chromium long_text.js "$WORK"
