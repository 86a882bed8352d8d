"""The codec: a durable value in, its wire form out, and back.

Native msgpack for exactly None, bool, int of 64 bits, float, str, bytes, list and dict with str keys;
an extension code (``scalars``) for everything else. Objects, members and exceptions name their class by its number
in the envelope around the value, which holds each class once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec

from waymark_schema.values import scalars
from waymark_schema.values.binding import Build, TypeBinding, TypeRef
from waymark_schema.values.errors import MalformedValue
from waymark_schema.values.faults import FaultParts
from waymark_schema.values.lowering import Lowering, plain
from waymark_schema.values.nesting import too_deep
from waymark_schema.values.plans import Settings

DEFAULT_MAX_BYTES = 16 * 1024 * 1024
DEFAULT_MAX_DEPTH = 200

_encode = msgspec.msgpack.Encoder().encode


class _Envelope(msgspec.Struct, array_like=True):
    refs: msgspec.Raw
    value: msgspec.Raw


_read_envelope = msgspec.msgpack.Decoder(_Envelope).decode
_read_refs = msgspec.msgpack.Decoder(list[TypeRef]).decode
_read_parts = msgspec.convert
_REMEMBERED = 256
"""Envelopes whose builders a codec keeps: values of one place name the same classes again and again."""


class Codec:
    """Writes and reads durable values with the classes of one binding.

    ``known`` holds the digests of descriptors that every reader of the bytes has anyway; all others
    travel inside the value. ``sorted_sets`` writes the items of sets in the order of their own bytes,
    so that equal values of processes with other hash seeds are equal bytes.

    >>> from waymark_schema.values.records import RecordBinding
    >>> codec = Codec(RecordBinding())
    >>> codec.decode(codec.encode({"when": (1, 2.5)}))
    {'when': (1, 2.5)}
    """

    def __init__(
        self,
        binding: TypeBinding,
        *,
        known: frozenset[bytes] = frozenset(),
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_depth: int = DEFAULT_MAX_DEPTH,
        sorted_sets: bool = False,
    ) -> None:
        self.binding = binding
        self.max_bytes = max_bytes
        self.max_depth = max_depth
        self._settings = Settings(
            binding, known=known, max_bytes=max_bytes, max_depth=max_depth, sorted_sets=sorted_sets
        )
        self._reader = _Reading(binding, [], {})

    def encode(self, value: Any, *, path: str = "value") -> bytes:
        """The wire form of ``value``; ``path`` is how errors call the whole.

        Raises ``SerializationError`` where something in it cannot be kept, or it is too deep or too big.
        """
        if plain(value):
            try:
                data = _encode(value)
            except (OverflowError, UnicodeEncodeError):
                pass  # an int beyond 64 bits or a lone surrogate: the careful way below
            else:
                if len(data) <= self.max_bytes:
                    return data
        return Lowering(self._settings).whole(value, path)

    def decode(self, data: bytes) -> Any:
        """The value that ``encode`` wrote.

        Raises ``MalformedValue`` for bytes that are not the wire form of a value, or whose classes refuse them.
        """
        try:
            value = self._reader.read(data)
        except MalformedValue:
            raise
        except RecursionError:
            msg = f"a stored value is nested deeper than {self.max_depth} levels"
            raise MalformedValue(msg) from None
        except Exception as error:
            msg = f"stored bytes are not a durable value: {type(error).__name__}: {error}"
            raise MalformedValue(msg) from error
        if too_deep(data, value, self.max_depth):
            msg = f"a stored value is nested deeper than {self.max_depth} levels"
            raise MalformedValue(msg)
        return value

    def encode_exception(self, error: BaseException) -> bytes:
        """The wire form of an exception; never fails: what cannot be kept is left out."""
        return Lowering(self._settings).exception_whole(error)


class _Reading:
    """Reads one value (or many without an envelope): the classes of its envelope, and the extension hook."""

    __slots__ = ("_binding", "_builders", "_decode", "_parts", "_refs", "_remembered")

    def __init__(
        self, binding: TypeBinding, refs: list[TypeRef], remembered: dict[bytes, _Reading]
    ) -> None:
        self._binding = binding
        self._remembered = remembered
        self._refs = refs
        self._builders: list[Build] = binding.builders(refs) if refs else []
        self._decode = msgspec.msgpack.Decoder(ext_hook=self._extension).decode
        factories = scalars.defaults(binding.set_type, binding.frozenset_type)
        self._parts: dict[int, Callable[[Any], Any]] = {
            **scalars.PARTS,
            scalars.SET: binding.set_type,
            scalars.FROZENSET: binding.frozenset_type,
            scalars.DEFAULTDICT: lambda parts: defaultdict(
                factories[parts[0]], scalars.unpair(parts[1:])
            ),
            scalars.OBJECT: self._object,
            scalars.MEMBER: self._object,
            scalars.EXCEPTION: self._exception,
        }

    def read(self, data: bytes | memoryview | msgspec.Raw) -> Any:
        return self._decode(data)

    def _extension(self, code: int, data: memoryview) -> Any:
        if code < scalars.RAW_BELOW:
            unwrap = scalars.RAW.get(code)
            if unwrap is None:
                msg = f"a stored value holds extension {code}, which this version does not know"
                raise MalformedValue(msg)
            return unwrap(bytes(data))
        if code == scalars.ENVELOPE:
            return self._enveloped(_read_envelope(data))
        parts = self._decode(data)
        make = self._parts.get(code)
        if make is None or type(parts) is not list:
            msg = f"a stored value holds extension {code} with parts of type {type(parts).__name__}"
            raise MalformedValue(msg)
        return make(parts)

    def _enveloped(self, envelope: _Envelope) -> Any:
        key = bytes(envelope.refs)
        reading = self._remembered.get(key)
        if reading is None:
            reading = _Reading(self._binding, _read_refs(key), self._remembered)
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = reading
        return reading.read(envelope.value)

    def _object(self, parts: list[Any]) -> Any:
        number, payload = parts
        if type(number) is not int or not 0 <= number < len(self._builders):
            msg = f"a stored value refers to its class number {number!r:.50}, of {len(self._builders)}"
            raise MalformedValue(msg)
        return self._builders[number](payload)

    def _exception(self, parts: list[Any]) -> Any:
        return self._binding.exception(_read_parts(parts, FaultParts), self._refs)
