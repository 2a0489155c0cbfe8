"""The API keys of this server: those of API_KEYS, and those of API_KEYS_FILE, which have names and limits.
Knows no HTTP.

The file is TOML with a table for each key. The name of the table is the name of the key:

    [app]
    sha256 = "..."            # of the key, in UTF-8: printf %s KEY | sha256sum
    requests_a_minute = 60    # this line and the next two may be left out
    places = 4
    voices = ["exampleA"]
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import time
import tomllib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from glm_tts_api.durable import stamp
from glm_tts_api.errors import quote
from glm_tts_api.speech.clients import Client
from glm_tts_api.validation import WholeNumber

logger = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0
# The log and the metrics show names and IP addresses in the same place; no address is such a name.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class _Key(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]
    requests_a_minute: Annotated[WholeNumber, Field(ge=1, le=1_000_000)] | None = None
    places: Annotated[WholeNumber, Field(ge=1, le=100_000)] | None = None
    voices: Annotated[frozenset[str], Field(min_length=1)] | None = None


_TABLES = TypeAdapter(dict[str, _Key])
_Named = Mapping[bytes, Client]


def read_keys(file: Path) -> _Named:
    """Reads API_KEYS_FILE. Returns the holder of each key (a `Client` with the key's name and limits) by the
    key's SHA-256 digest. Raises ValueError with a sentence that says what is wrong and where."""
    at = f"API_KEYS_FILE={quote(str(file))}:"
    try:
        tables = _TABLES.validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ValueError(f"{at} {quote('.'.join(map(str, first['loc'])))}: {first['msg']}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{at} {error}") from None
    for name in tables:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{at} [{quote(name)}]: a name has at most 64 letters of ASCII, digits, - and _, and begins "
                "with a letter"
            )
    named = {
        bytes.fromhex(key.sha256): Client(name, True, key.places, key.requests_a_minute, key.voices)
        for name, key in tables.items()
    }
    if len(named) < len(tables):
        raise ValueError(f"{at} two names have the same key")
    return named


class Keys:
    """Checks API keys. `plain` are the keys of API_KEYS, which have no names. `file` is API_KEYS_FILE, which
    is read again within a second after a change; if it is invalid then, the keys stay as they were. Raises
    ValueError if it is invalid at the start."""

    def __init__(self, plain: Sequence[str], file: Path | None = None) -> None:
        self.are_needed = bool(plain)
        self._secret = _digest("\0".join(plain).encode())
        self._plain: _Named = {_digest(key.encode()): Client(_digest(key.encode()).hex()) for key in plain}
        self._file = file
        self._named: _Named = {}
        self._seen: object = None
        self._looked_at = 0.0
        if file is not None:
            self._named, self._seen = read_keys(file), stamp(file)
            self._looked_at = time.monotonic()

    def holder(self, given: str) -> Client | None:
        """Returns the holder of the key `given`, which is a header's value decoded as Latin-1. Returns None
        for a wrong key. The holder of a key in API_KEYS has the key's digest as its name. The search takes
        the same time for any key."""
        given = given.strip()
        sent = (_digest(given.encode("latin-1")), _digest(given.encode()))  # curl sends UTF-8, others Latin-1
        found = [
            holder
            for digest, holder in (*self._plain.items(), *self._current().items())
            if secrets.compare_digest(digest, sent[0]) | secrets.compare_digest(digest, sent[1])
        ]
        return found[-1] if found else None

    def link(self, owner: str, what: str, *, until: int) -> str:
        """Returns a link with which a player that sends no key can open `what`, as with the key of `owner`.
        The link is valid until the time `until`, in seconds since 1970, if the owner still has a key then.
        Every server with the same API_KEYS accepts it."""
        return f"{until}-{self._mac(owner, what, until)}"

    def holder_of_link(self, link: str, what: str) -> Client | None:
        """Returns the holder of the key for which the link to `what` was made. Returns None if the link is
        invalid, has expired, or opens something else, or if that key no longer exists."""
        until, _, mac = link.partition("-")
        if not re.fullmatch(r"[0-9]{1,12}", until) or int(until) < time.time():
            return None
        macs = [(self._mac(holder.name, what, int(until)), holder) for holder in self._holders()]
        found = [holder for own, holder in macs if secrets.compare_digest(own.encode(), mac.encode())]
        return found[0] if found else None

    def _mac(self, owner: str, what: str, until: int) -> str:
        return hmac.digest(self._secret, f"{owner} {what} {until}".encode(), "sha256").hex()

    def is_first(self, name: str) -> bool:
        """Whether `name` is the holder of the first key in API_KEYS. That key is the operator's, and the
        scripts use it."""
        return name == next((holder.name for holder in self._plain.values()), None)

    def count(self) -> int:
        """Returns how many keys there are."""
        return len(self._holders())

    def knows(self, name: str) -> bool:
        """Whether there is still a key whose holder is called `name`."""
        return any(name == each.name for each in self._holders())

    def _holders(self) -> list[Client]:
        return [*self._plain.values(), *self._current().values()]

    def _current(self) -> _Named:
        if self._file is not None and time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            seen = stamp(self._file)
            if seen != self._seen:
                self._seen = seen
                try:
                    self._named = read_keys(self._file)
                    logger.info("API_KEYS_FILE was read again: %d keys", len(self._named))
                except ValueError as error:
                    logger.error("The keys stay as they were. %s", error)
        return self._named


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
