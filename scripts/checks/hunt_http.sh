#!/usr/bin/env bash
# Sends a server the requests that schemathesis makes from /openapi.json: examples, limits, random fields and bodies,
# and chains of requests that use values of earlier answers. No answer may be a 500 or contradict /openapi.json.
#
#   bash scripts/checks/hunt_http.sh [URL [EXAMPLES]]
#
# URL is the address of a running server with the bundled model, whose voices will be changed. Without URL a server is
# started. EXAMPLES is the number of requests for each operation, by default 200.
#
# Needs PyPI. All files go to a temporary folder. Exit codes: 1, a fault was found; 2, a program is missing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"
source scripts/lib/own_server.sh

take_arguments 2 "$@"
command -v curl >/dev/null || fail "$EXIT_REFUSED" "curl is needed (Debian, Ubuntu: apt install curl)."
URL="${1:-}"
# The texts are short and spoken with one flow step, since speaking them takes most of the time.
[[ -n $URL ]] || FLOW_STEPS=1 MAX_TEXT_LENGTH=60 start_server
"$(find_python venv)" -m venv "$WORK/venv"
"$WORK/venv/bin/python" -m pip install -q --disable-pip-version-check schemathesis==4.32.5
cd -- "$WORK"
# The Kokoro API labels lines of JSON as application/json, and this server does the same on Kokoro's routes.
cat >schemathesis.toml <<'END'
[checks]
enabled = false
not_a_server_error.enabled = true
status_code_conformance.enabled = true
content_type_conformance.enabled = true
response_schema_conformance.enabled = true

[[operations]]
include-path = "/dev/captioned_speech"
checks.response_schema_conformance.enabled = false
END
"$WORK/venv/bin/schemathesis" run "$URL/openapi.json" --max-examples "${2:-200}" --request-timeout 60
