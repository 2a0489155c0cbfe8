#!/usr/bin/env bash
# Downloads the official GLM-TTS checkpoint into ckpt/, where the server looks for it. An interrupted download
# continues when the script is run again.
#
#   bash scripts/download_model.sh                        from Hugging Face (HF_ENDPOINT: a mirror)
#   bash scripts/download_model.sh --source modelscope
#   bash scripts/download_model.sh --with-voices          also the model's own example prompts (CC BY-NC)
#   bash scripts/download_model.sh --help
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

if [[ " $* " == *" --with-voices "* ]]; then
  ensure_venv "" # registers voices as an upload does
else
  PYTHON="$(find_python sys)"
fi
PYTHONPATH="$ROOT" exec "$PYTHON" -m glm_tts_api.download.command "$@"
