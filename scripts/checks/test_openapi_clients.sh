#!/usr/bin/env bash
# Makes clients from /openapi.json with openapi-python-client and openapi-typescript, and lets each speak.
#
#   bash scripts/checks/test_openapi_clients.sh [URL]       URL of a running server; without URL a server is started
#
# Needs PyPI, npm and node. All files go to a temporary folder. Exit codes: 1, a client cannot be built or does not
# speak; 2, a program is missing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"
source scripts/lib/own_server.sh

# python_client: generates the Python client, imports each of its modules, and lets it speak.
python_client() {
  say "== openapi-python-client"
  "$(find_python venv)" -m venv "$WORK/venv"
  "$WORK/venv/bin/python" -m pip install -q --disable-pip-version-check openapi-python-client==0.29.1
  PATH="$WORK/venv/bin:$PATH" openapi-python-client generate --fail-on-warning --meta none \
    --path "$WORK/openapi.json" --output-path "$WORK/glm_tts_client"
  cp -- scripts/checks/openapi_clients/speak.py "$WORK"
  "$WORK/venv/bin/python" "$WORK/speak.py" "$URL"
}

# typescript_client: generates the TypeScript client, compiles it in strict mode, and lets it speak.
typescript_client() {
  say "== openapi-typescript"
  mkdir -- "$WORK/ts"
  cp -- scripts/checks/openapi_clients/speak.ts "$WORK/ts"
  (
    cd -- "$WORK/ts"
    printf '{"type": "module", "private": true}\n' >package.json
    npm install --silent --no-audit --no-fund openapi-typescript@7.13.0 openapi-fetch@0.17.0 \
      typescript@5.9.3 @types/node@20
    # Without the option a field that has a default would have to be sent.
    npx openapi-typescript "$WORK/openapi.json" --default-non-nullable=false -o api.d.ts
    npx tsc --strict --target es2022 --module nodenext --moduleResolution nodenext speak.ts
    node speak.js "$URL"
  )
}

take_arguments 1 "$@"
for program in curl node npm; do
  command -v "$program" >/dev/null || fail "$EXIT_REFUSED" "$program is needed (Debian, Ubuntu: apt install curl nodejs npm)."
done
URL="${1:-}"
[[ -n $URL ]] || start_server
curl --noproxy '*' -sSf "$URL/openapi.json" -o "$WORK/openapi.json"
python_client
typescript_client
say "Both generated clients speak."
