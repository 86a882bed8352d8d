"""Bytes come in; a hash object that a snapshot can hold, and its digest, go out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from waymark_schema.ir import library
from waymark_worker.vm.invoking import Implementation
from waymark_worker.vm.meter import METER, check_text
from waymark_worker.vm.names import register
from waymark_worker.vm.refusals import unsupported_operation

Args = list[Any]
Keywords = dict[str, Any]

_SHIFT = 5
"""Binary logarithm of the bytes that are hashed in a unit."""
_NAMES = frozenset(name[8:] for name in library.DIGESTS) - {"new"}


class Digest:
    """A hash object: what was fed to it, so that it can be stored. The host's own cannot."""

    __slots__ = ("algorithm", "fed", "options")

    def __init__(self, algorithm: str, fed: bytearray, options: dict[str, Any]) -> None:
        self.algorithm = algorithm
        self.fed = fed
        self.options = options

    def host(self, *, fed: bool = True) -> Any:
        """The host's hash object, fed again."""
        if self.algorithm not in _NAMES:
            msg = f"{self.algorithm!r:.50} is no hash function of the language"
            raise ValueError(msg)
        made = getattr(hashlib, self.algorithm)(**self.options)
        if fed:
            METER.charge(len(self.fed) >> _SHIFT)
            made.update(self.fed)
        return made

    @property
    def name(self) -> str:
        return str(self.host(fed=False).name)

    @property
    def digest_size(self) -> int:
        return int(self.host(fed=False).digest_size)

    @property
    def block_size(self) -> int:
        return int(self.host(fed=False).block_size)

    def update(self, *args: Any) -> None:
        data = _checked(args)
        check_text(len(self.fed) + len(data), "what a hash object was fed")
        self.fed += data

    def digest(self) -> bytes:
        return bytes(self.host().digest())

    def hexdigest(self) -> str:
        return str(self.host().hexdigest())

    def copy(self) -> Digest:
        METER.charge(len(self.fed) >> _SHIFT)
        return Digest(self.algorithm, bytearray(self.fed), dict(self.options))


register(Digest, "_hashlib.HASH")


def _checked(args: tuple[Any, ...] | Args) -> bytes:
    if len(args) != 1 or not isinstance(args[0], bytes | bytearray):
        hashlib.sha256().update(*args)  # raises CPython's own TypeError
    return bytes(memoryview(args[0]))


def _made(algorithm: str) -> Implementation:
    host: Callable[..., Any] = getattr(hashlib, algorithm)

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Digest:
        named = dict(keywords)
        data = list(args)
        for name in ("data", "string"):
            if not data and name in named:
                data = [named.pop(name)]
        if len(data) > 1 or any(not isinstance(each, int | bytes) for each in named.values()):
            host(*args, **keywords)  # raises CPython's own TypeError
        named.pop("usedforsecurity", None)
        host(**named)  # likewise
        made = Digest(algorithm, bytearray(), named)
        if data:
            made.update(*data)
        return made

    return run


def _new(ctx: Any, args: Args, keywords: Keywords) -> Digest:
    name = args[0] if args else keywords.get("name")
    if not isinstance(name, str) or name.lower() not in _NAMES:
        what = f"hashlib.new({name!r:.50})"
        raise unsupported_operation(what, f"use one of {', '.join(sorted(_NAMES))}")
    rest = {key: value for key, value in keywords.items() if key != "name"}
    return DIGESTS[f"hashlib.{name.lower()}"](ctx, args[1:], rest)  # type: ignore[no-any-return] # its own


DIGESTS: dict[str, Implementation] = {
    **{f"hashlib.{name}": _made(name) for name in _NAMES},
    "hashlib.new": _new,
}
"""What carries out a call of each function that makes a hash object."""
