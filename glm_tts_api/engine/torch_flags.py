"""Sets every switch of PyTorch that holds for the whole process, before a model is loaded.

Only the flow's TF32 contexts (precision.py) change one of these switches later, and they set it back.
"""

from __future__ import annotations

from collections.abc import MutableMapping

import torch

from glm_tts_api.engine.precision import compute_exactly
from glm_tts_api.engine.spare_memory import keep_for_reuse

# PyTorch 2.9 reads the second name, and warns unless the first one is set too; newer versions read the first
# name.
ALLOCATOR_VARIABLES = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")
_ALLOCATOR = "expandable_segments:True"

# On a CPU, PyTorch and oneDNN make a plan for each length of a product or convolution. By default each of
# them keeps 1024 plans of up to a megabyte, and every text has other lengths. 32 plans are enough for the
# renders that run at one time.
_PLANS_KEPT_BY = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")
_PLANS_KEPT = 32


def set_torch_flags(device: torch.device, environ: MutableMapping[str, str]) -> None:
    """Sets PyTorch's switches for a server on `device`. Call this before any tensor is on the device.

    Adds settings of PyTorch's allocator and of its caches of plans to `environ`, the environment of this
    process. Variables that the user has set stay as they are.
    """
    if device.type != "cuda":
        keep_for_reuse()
        for name in _PLANS_KEPT_BY:
            environ.setdefault(name, str(_PLANS_KEPT))
        return
    # Without this, segments of many lengths leave holes in the memory into which no later segment fits.
    if not any(environ.get(name) for name in ALLOCATOR_VARIABLES):
        environ.update(dict.fromkeys(ALLOCATOR_VARIABLES, _ALLOCATOR))
    # cuDNN's attention makes a plan for each length, which takes tens of milliseconds while all rows wait.
    torch.backends.cuda.enable_cudnn_sdp(False)
    # TorchScript (Vocos2D) would fuse operators, and so compile them again for each length.
    torch.jit.set_fusion_strategy([])
    # Where a product is split into parts, the parts would be added in bfloat16.
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    # Some of cuDNN's transposed convolutions (HiFT's upsampling) add in a random order.
    torch.backends.cudnn.deterministic = True
    compute_exactly()
