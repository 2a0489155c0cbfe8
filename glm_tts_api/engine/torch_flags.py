"""Every switch of PyTorch that holds for the whole process, set in this one place before a model is loaded.

The flow's turns of TF32 (precision.py) begin and end at what is set here.
"""

from __future__ import annotations

from collections.abc import MutableMapping

import torch

from glm_tts_api.engine.precision import compute_exactly
from glm_tts_api.engine.spare_memory import keep_for_reuse

# PyTorch 2.9 reads the second name for what it is told here, and warns unless the first is there as well;
# newer ones read the first.
ALLOCATOR_VARIABLES = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")
_ALLOCATOR = "expandable_segments:True"

# On a CPU a product or convolution is planned for each length that it meets, and PyTorch and oneDNN keep
# 1024 such plans each, of up to a megabyte: every text has other lengths. These suffice for the renders
# under way.
_PLANS_KEPT_BY = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")
_PLANS_KEPT = 32


def set_torch_flags(device: torch.device, environ: MutableMapping[str, str]) -> None:
    """Makes PyTorch fit for a server on `device`, before anything lies there.

    `environ` is the process's own environment, which configures PyTorch's allocator; the user's own values
    stay.
    """
    if device.type != "cuda":
        keep_for_reuse()
        for name in _PLANS_KEPT_BY:
            environ.setdefault(name, str(_PLANS_KEPT))
        return
    # Segments of many lengths would leave holes that no later one fits.
    if not any(environ.get(name) for name in ALLOCATOR_VARIABLES):
        environ.update(dict.fromkeys(ALLOCATOR_VARIABLES, _ALLOCATOR))
    # cuDNN's attention plans anew for each length, tens of milliseconds while all rows wait.
    torch.backends.cuda.enable_cudnn_sdp(False)
    # TorchScript (Vocos2D) would fuse, and so compile, anew for each length.
    torch.jit.set_fusion_strategy([])
    # Where a product is split, its parts would be added in bfloat16.
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    # cuDNN has transposed convolutions (HiFT's upsampling) that add in any order.
    torch.backends.cudnn.deterministic = True
    compute_exactly()
