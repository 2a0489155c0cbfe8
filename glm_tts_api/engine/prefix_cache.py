"""A prefix cache of voices' transcripts: every prompt of a voice begins with the same ids, which the LLM need
not read again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor

from glm_tts_api.model.kv_cache import KVCache

_LEAST_IDS = 4  # fewer are read as quickly as they are copied
_MAX_BYTES = 2**28


class PrefixCache:
    """The keys and values of the last `capacity` transcripts, at most 256 MB of them. To be used by the
    decode thread alone.

    A transcript is read by itself whether it is kept or not, so what is kept has the bits of what is read.
    """

    def __init__(self, cache: KVCache, capacity: int) -> None:
        self._cache = cache
        self._capacity = capacity
        self._kept: OrderedDict[tuple[int, ...], tuple[Tensor, Tensor]] = OrderedDict()

    def recall(self, ids: Sequence[int], slot: int) -> int:
        """Puts a transcript that was read before into a slot: how many positions that fills, 0 for none."""
        kept = self._kept.get(key := tuple(ids))
        if kept is None:
            return 0
        self._kept.move_to_end(key)
        self._cache.write(slot, kept)
        return len(ids)

    def keep(self, ids: Sequence[int], slot: int) -> None:
        """Remembers a transcript that has been read into a slot."""
        if len(ids) < _LEAST_IDS or tuple(ids) in self._kept:
            return
        self._kept[tuple(ids)] = self._cache.read(slot, len(ids))
        while len(self._kept) > self._capacity or self._n_bytes() > _MAX_BYTES:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        self._kept.clear()

    def _n_bytes(self) -> int:
        return sum(keys.nbytes + values.nbytes for keys, values in self._kept.values())
