#!/usr/bin/env bash
# Makes the mini checkpoint: speech of Kokoro-82M, tokenizer, language model, flow, vocoders, prompts, export. Then hears
# it. Every step continues where it stopped, so the script can be interrupted and started again. STATE names another
# folder than .mini.
# Needs espeak-ng, npm and:  pip install -c constraints.txt -e '.[dev,mini]'
# Minutes of training are CPU time of one thread. The model card says how many the shipped model was trained.
set -euo pipefail
(($# == 0)) || { # it takes hours: whoever asks for --help does not want it
    awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"
    exit 2
}
cd "$(dirname "$0")/.."
export PYTHON=${PYTHON:-.venv/bin/python} STATE=${STATE:-.mini}
export OMP_NUM_THREADS=1
step() {
    echo "== $*"
    nice -n 19 "$PYTHON" -m "mini.$1" "${@:2}"
}

bash mini/kokoro_packages.sh
step kokoro_data pairs --minutes "${PAIR_MINUTES:-142}" --folder "$STATE"
step kokoro_data single --minutes "${SINGLE_MINUTES:-317}" --timbres 200 --folder "$STATE"
step kokoro_data low --minutes "${LOW_MINUTES:-35}" --timbres 60 --folder "$STATE"
step speaker --folder "$STATE"
step tokenizer --minutes "${TOKENIZER_MINUTES:-36}" --folder "$STATE"
for part in hift llm flow; do
    [ -e "$STATE/$part/state.pt" ] || step restart --parts "$part" --folder "$STATE"
done
mapfile -t parts < <(cd "$STATE/data" && basename -s .pkl -- *.pkl)
step codes "${parts[@]}" --folder "$STATE"
step llm --minutes "${LLM_MINUTES:-84}" --folder "$STATE"
step flow --minutes "${FLOW_MINUTES:-92}" --folder "$STATE"
step flow --minutes "${CALM_MINUTES:-26}" --calm --folder "$STATE"
step kokoro_waves --minutes 60 --folder "$STATE"
step vocoder --minutes "${VOCODER_MINUTES:-80}" --folder "$STATE"
step vocos2d --minutes "${VOCOS2D_MINUTES:-24}" --folder "$STATE"
step proof --sentences 20 --folder "$STATE"
step prompts --folder "$STATE"
step export --folder "$STATE"
step hear --folder "$STATE"
step samples --folder "$STATE"
