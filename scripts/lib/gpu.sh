# shellcheck shell=bash
# GPU memory, where nvidia-smi is. It only looks; no process but ours is ever touched. Sourced after common.sh.

readonly GPU_WAIT_S=60

# has_gpu: whether nvidia-smi is there and sees a GPU.
has_gpu() {
  command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=index --format=csv,noheader >/dev/null 2>&1
}

# gpu_memory: prints the memory in use on each GPU.
gpu_memory() {
  nvidia-smi --query-gpu=index,memory.used,memory.total --format=csv,noheader |
    while IFS=, read -r index used total; do
      say "  GPU $index:$used of$total in use"
    done
}

# gpu_holders PID...: prints those that still hold GPU memory.
gpu_holders() {
  local pid
  nvidia-smi --query-compute-apps=pid --format=csv,noheader 2>/dev/null | while read -r pid; do
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
