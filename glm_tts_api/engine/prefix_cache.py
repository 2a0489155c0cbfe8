"""A cache of voices' transcripts as the LLM has read them. Every prompt of a voice begins with the ids of the
same transcript, so the LLM need not read them again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor

from glm_tts_api.model.kv_cache import KVCache

_LEAST_IDS = 4  # fewer ids are read as quickly as they are copied
_MAX_BYTES = 2**28


class PrefixCache:
    """Keeps the keys and values of the `capacity` transcripts that were used last, 256 MB at most. Only the
    decode thread may use it.

    The LLM always reads a transcript by itself, separately from the rest of the prompt. So a cached
    transcript has the same bits as a transcript that is read again.
    """

    def __init__(self, cache: KVCache, capacity: int) -> None:
        self._cache = cache
        self._capacity = capacity
        self._kept: OrderedDict[tuple[int, ...], tuple[Tensor, Tensor]] = OrderedDict()

    def recall(self, ids: Sequence[int], slot: int) -> int:
        """Copies the keys and values of the transcript `ids` into the slot `slot`, if they are cached.
        Returns the number of positions that this fills; 0 if the transcript is not cached."""
        kept = self._kept.get(key := tuple(ids))
        if kept is None:
            return 0
        self._kept.move_to_end(key)
        self._cache.write(slot, kept)
        return len(ids)

    def keep(self, ids: Sequence[int], slot: int) -> None:
        """Stores a copy of the keys and values of the transcript `ids`, which has just been read into the
        slot `slot`. Does nothing if the transcript is stored already or has fewer than four ids."""
        if len(ids) < _LEAST_IDS or tuple(ids) in self._kept:
            return
        self._kept[tuple(ids)] = self._cache.read(slot, len(ids))
        while len(self._kept) > self._capacity or self._n_bytes() > _MAX_BYTES:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        self._kept.clear()

    def _n_bytes(self) -> int:
        return sum(keys.nbytes + values.nbytes for keys, values in self._kept.values())
