#!/usr/bin/env bash
# Sends a server what schemathesis makes of /openapi.json: examples, bounds, random fields and bodies, and chains of
# requests that use what the answers before named. No answer may be a 500, or other than /openapi.json says.
#
#   bash scripts/checks/hunt_http.sh [URL [EXAMPLES]]
#
# URL of a running server of the bundled model, whose voices will be changed; without, one is started. EXAMPLES an
# operation: 200.
#
# Needs PyPI; everything goes to a temporary folder. Exit codes: 1, something was found; 2, something is missing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"
source scripts/lib/own_server.sh

take_arguments 2 "$@"
command -v curl >/dev/null || fail "$EXIT_REFUSED" "curl is needed (Debian, Ubuntu: apt install curl)."
URL="${1:-}"
# Few of the texts are worth the time that they take to be spoken.
[[ -n $URL ]] || FLOW_STEPS=1 MAX_TEXT_LENGTH=60 start_server
"$(find_python venv)" -m venv "$WORK/venv"
"$WORK/venv/bin/python" -m pip install -q --disable-pip-version-check schemathesis==4.32.5
cd -- "$WORK"
# Kokoro calls its lines of JSON application/json, and so does this server in that dialect.
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
