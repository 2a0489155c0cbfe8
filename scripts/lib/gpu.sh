# shellcheck shell=bash
# GPU memory, where nvidia-smi is. It only looks; no process but ours is ever touched. Sourced after common.sh.

readonly GPU_WAIT_S=60
readonly SMI_LIMIT_S=20 # with a broken driver nvidia-smi was seen to hang

# smi ARGUMENT...: nvidia-smi, as CSV without a head.
smi() {
  timeout "$SMI_LIMIT_S" nvidia-smi "$@" --format=csv,noheader
}

# has_gpu: whether nvidia-smi is there and sees a GPU.
has_gpu() {
  command -v nvidia-smi >/dev/null && smi --query-gpu=index >/dev/null 2>&1
}

# gpu_memory: prints the memory in use on each GPU.
gpu_memory() {
  smi --query-gpu=index,memory.used,memory.total |
    while IFS=, read -r index used total; do
      say "  GPU $index:$used of$total in use"
    done || say "  nvidia-smi gave no answer within $SMI_LIMIT_S s"
}

# gpu_holders PID...: prints those that still hold GPU memory.
gpu_holders() {
  local pid
  smi --query-compute-apps=pid 2>/dev/null | while read -r pid; do
    if [[ " $* " == *" $pid "* ]]; then
      printf '%s\n' "$pid"
    fi
  done
}

# wait_for_gpu_memory PID...: waits until the driver has taken back what the dead processes held.
wait_for_gpu_memory() {
  local begin=$SECONDS holders
  while holders="$(gpu_holders "$@")" && [[ -n $holders ]]; do
    ((SECONDS - begin < GPU_WAIT_S)) || {
      say "  after $GPU_WAIT_S s the driver still lists: ${holders//$'\n'/ }"
      return 0
    }
    sleep 0.5
  done
}
