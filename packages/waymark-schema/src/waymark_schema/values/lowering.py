"""A value in, what msgpack can write of it out: everything it lacks as extension codes, limits and places checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.msgpack import Ext
from pydantic import ValidationError

from waymark_schema.failures import SerializationError
from waymark_schema.values import advice, faults, frozen, scalars, validation
from waymark_schema.values.advice import Misfit
from waymark_schema.values.objects import take_apart
from waymark_schema.values.plans import Plan, Ref, Settings, written
from waymark_schema.values.records import Record
from waymark_schema.values.shown import shown

_SCALARS = frozenset({type(None), bool, int, float, str, bytes})
_SMALL = frozenset({type(None), bool, int, float})
_TEXT = frozenset({str})
_SIZED = frozenset({str, bytes})
_encode = msgspec.msgpack.Encoder().encode
_INT_LOW, _INT_HIGH = -(1 << 63), 1 << 64
_MAX_INT_BITS = 1 << 20
_SETS = frozenset({scalars.SET, scalars.FROZENSET})


def plain(value: Any) -> bool:
    """Whether msgpack writes ``value`` as it is: a scalar, or a flat list or dict of scalars."""
    kind = type(value)
    if kind is dict:
        return _TEXT.issuperset(map(type, value)) and _SCALARS.issuperset(map(type, value.values()))
    if kind is list:
        return _SCALARS.issuperset(map(type, value))
    return kind in _SCALARS


class Lowering:
    """One encoding."""

    __slots__ = ("_careful", "_chain", "_dispatch", "_numbers", "_refs", "_settings", "_spent")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._start(careful=False)

    def _start(self, *, careful: bool) -> None:
        self._careful = careful
        self._spent = 0
        self._refs: list[msgspec.Raw] = []
        self._numbers: dict[bytes, int] = {}
        self._chain: list[int] = []

    # --- the whole ---------------------------------------------------------------------------

    def whole(self, value: Any, path: str) -> bytes:
        """Wire form of ``value``, in its envelope if it refers to classes."""
        try:
            data = self._written(value, path)
        except (OverflowError, UnicodeEncodeError):
            self._start(careful=True)
            data = self._written(value, path)
        if len(data) > self._settings.max_bytes:
            raise advice.too_big(path, value, len(data), self._settings.max_bytes)
        return data

    def _written(self, value: Any, path: str) -> bytes:
        try:
            data = _encode(self.lower(value, 0))
        except Misfit as misfit:
            raise misfit.explained(path) from None
        except RecursionError:
            raise advice.too_deep(path, value, self._settings.max_depth) from None
        if self._refs:
            data = _encode(Ext(scalars.ENVELOPE, _encode([self._refs, msgspec.Raw(data)])))
        return data

    def exception_whole(self, error: BaseException) -> bytes:
        """Wire form of ``error``; what cannot be kept of it is left out until the rest fits."""
        try:
            return self.whole(error, type(error).__qualname__)
        except SerializationError:
            self._start(careful=True)
        message = faults.message(error)
        bare: list[Any] = [
            faults.qualified(type(error)), -1, faults.base_names(type(error)),
            Ext(scalars.TUPLE, _encode([Ext(scalars.TEXT, scalars.wrap_text(message))])), {},
            *(_cleaned(text) for text in (message, faults.text(error))),
            [], None, None, False, None, _cleaned(faults.traceback_text(error)),
        ]  # fmt: skip
        return _encode(Ext(scalars.EXCEPTION, _encode(bare)))

    # --- one value ---------------------------------------------------------------------------

    def lower(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 - one line per family
        """``value`` itself where msgpack writes it right, else its stand-in."""
        kind = type(value)
        if kind in _SMALL:
            return self._checked(value) if self._careful else value
        if kind is str or kind is bytes:
            self._spend(len(value), value)
            return self._checked(value) if self._careful else value
        if kind is list:
            return self._list(value, depth + 1)
        if kind is dict:
            return self._dict(value, depth + 1)
        container = self._settings.containers.get(kind)
        if container is not None:
            code, wrap = container
            items = self._list(wrap(value), depth + 1, value)
            if self._settings.sorted_sets and code in _SETS:
                items = [msgspec.Raw(item) for item in sorted(map(_encode, items))]
            return Ext(code, _encode(items))
        leaf = scalars.WRAPS.get(kind)
        if leaf is not None:
            return self._leaf(value, leaf)
        if kind is defaultdict:
            return self._defaultdict(value, depth + 1)
        return self._of_user(value, kind, depth + 1)

    def _checked(self, value: Any) -> Any:
        if type(value) is int and not _INT_LOW <= value < _INT_HIGH:
            if value.bit_length() > _MAX_INT_BITS:
                raise Misfit(
                    value,
                    f"an int of {value.bit_length()} bits",
                    f"at most {_MAX_INT_BITS} bits are kept",
                )
            return Ext(scalars.INT, scalars.wrap_int(value))
        if type(value) is str and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                return Ext(scalars.TEXT, scalars.wrap_text(value))
        return value

    def _spend(self, size: int, value: Any) -> None:
        """Stop before a value that refers to its parts many times over fills the memory."""
        self._spent += size + 1
        if self._spent > self._settings.max_bytes:
            raise Misfit(value, *advice.size(self._settings.max_bytes))

    def _enter(self, value: Any, size: int, depth: int) -> None:
        if depth > self._settings.max_depth:
            raise Misfit(value, *advice.depth(self._settings.max_depth))
        self._spent += size + 1
        if self._spent > self._settings.max_bytes:
            raise Misfit(value, *advice.size(self._settings.max_bytes))

    def _list(self, value: list[Any], depth: int, owner: Any = None) -> list[Any]:
        """Items of a list, or of the container ``owner`` that was made a list."""
        kinds = set(map(type, value))
        if _SCALARS.issuperset(kinds) and not self._careful:
            self._enter(owner or value, len(value) + _text_size(value, kinds), depth)
            return value
        self._enter(owner or value, len(value), depth)
        lower = self.lower
        result: list[Any] = []
        put = result.append
        try:
            for item in value:
                put(lower(item, depth))
        except Misfit as misfit:
            misfit.path.append(f"[{len(result)}]")
            raise
        return result

    def _dict(self, value: dict[Any, Any], depth: int) -> Any:
        if not _TEXT.issuperset(map(type, value)) or (self._careful and not _encodable(value)):
            self._enter(value, len(value), depth)
            return Ext(scalars.DICT, _encode(self._pairs(value, depth)))
        items = value.values()
        kinds = set(map(type, items))
        size = sum(map(len, value))
        if _SCALARS.issuperset(kinds) and not self._careful:
            self._enter(value, size + _text_size(items, kinds), depth)
            return value
        self._enter(value, size, depth)
        lower = self.lower
        result = {}
        key = None
        try:
            for key, item in value.items():
                result[key] = lower(item, depth)
        except Misfit as misfit:
            misfit.path.append(f"[{shown(key, 100)}]")
            raise
        return result

    def _pairs(self, value: dict[Any, Any], depth: int) -> list[Any]:
        lower = self.lower
        result: list[Any] = []
        key = None
        try:
            for key, item in value.items():
                result += (lower(key, depth), lower(item, depth))
        except Misfit as misfit:
            misfit.path.append(f"[{shown(key, 100)}]")
            raise
        return result

    def _defaultdict(self, value: Any, depth: int) -> Ext:
        self._enter(value, len(value), depth)
        name = self._settings.default_names.get(value.default_factory)
        if name is None:
            factory = value.default_factory
            named = (
                factory if isinstance(factory, type) else type(factory)
            )  # no text with an address
            raise Misfit(
                value,
                f"a defaultdict whose factory is a {named.__name__}",
                "use a builtin type such as list or int as its factory, or pass dict(value)",
            )
        return Ext(scalars.DEFAULTDICT, _encode([name, *self._pairs(value, depth)]))

    def _leaf(self, value: Any, leaf: tuple[int, scalars.Wrap]) -> Ext:
        code, wrap = leaf
        try:
            parts = wrap(value)
        except TypeError as error:
            raise Misfit(
                value, str(error), "use datetime.timezone or zoneinfo.ZoneInfo(key)"
            ) from None
        if code < scalars.RAW_BELOW:
            self._spend(len(parts), value)
            return Ext(code, parts)
        self._spend(8, value)
        return Ext(code, _encode([self.lower(part, 0) for part in parts]))

    # --- instances of user classes ---------------------------------------------------------

    def _of_user(self, value: Any, kind: type, depth: int) -> Any:
        if isinstance(value, BaseException):
            return self._exception(value, depth)
        if kind is Record:
            return self._record(value, depth)
        plan = self._settings.plan(kind)
        if plan is None:
            meant = frozen.meant_by(kind)
            if meant is not None:
                return self._leaf(value, scalars.WRAPS[meant])
            raise Misfit(value, "", advice.for_type(value))
        if depth > self._settings.max_depth:
            raise Misfit(value, *advice.depth(self._settings.max_depth))
        number = self._refer_all(plan)
        code = scalars.MEMBER if plan.descriptor.kind == "enum" else scalars.OBJECT
        return Ext(
            code, _encode([number, self._payload(take_apart(value, plan.descriptor), depth)])
        )

    def _payload(self, payload: Any, depth: int) -> Any:
        """Parts of an instance, with paths that read as attributes."""
        if type(payload) is dict:
            return self._fields(payload, depth)
        if type(payload[0]) is dict:
            return [self._fields(payload[0], depth), *(self.lower(part, 0) for part in payload[1:])]
        return self._list(payload, depth)

    def _fields(self, fields: dict[str, Any], depth: int) -> dict[str, Any]:
        self._spend(len(fields), fields)
        result = {}
        name = ""
        try:
            for name, item in fields.items():
                result[name] = self.lower(item, depth)
        except Misfit as misfit:
            misfit.path.append(f".{name}")
            raise
        return result

    def _record(self, record: Record, depth: int) -> Ext:
        """An instance whose class is not at hand goes out as it came in."""
        if depth > self._settings.max_depth:
            raise Misfit(record, *advice.depth(self._settings.max_depth))
        number = self._refer(written(record.reference))
        for other in record.references:
            self._refer(written(other))
        code = scalars.MEMBER if record.reference.kind == "enum" else scalars.OBJECT
        return Ext(code, _encode([number, self._payload(record.payload, depth)]))

    def _refer_all(self, plan: Plan) -> int:
        """The number of a class in this value's envelope, which holds all that it refers to as well."""
        number = self._numbers.get(plan.ref.digest)
        if number is not None:
            return number
        number = self._refer(plan.ref)
        for other in plan.others:
            self._refer(other)
        return number

    def _refer(self, ref: Ref) -> int:
        number = self._numbers.get(ref.digest)
        if number is None:
            number = self._numbers[ref.digest] = len(self._refs)
            self._refs.append(ref.written)
        return number

    # --- exceptions ------------------------------------------------------------------------

    def _exception(self, error: BaseException, depth: int) -> Ext:
        if depth > self._settings.max_depth:
            raise Misfit(error, *advice.depth(self._settings.max_depth))
        past = faults.remains(error)
        qualname = past.qualname if past else faults.qualified(type(error))
        described = not faults.is_stand_in(type(error)) and faults.well_known(qualname) is None
        plan = self._settings.plan(type(error)) if described else None
        number = self._refer_all(plan) if plan else -1
        self._chain.append(id(error))
        try:
            parts = [
                qualname,
                number,
                (past and past.bases) or faults.base_names(type(error)),
                Ext(scalars.TUPLE, _encode([self._kept(item, depth) for item in error.args])),
                self._attributes(error, depth),
                _cleaned(faults.message(error)),
                _cleaned(faults.text(error)),
                [_cleaned(note) for note in faults.notes(error)],
                self._linked(error.__cause__, depth),
                self._linked(error.__context__, depth),
                bool(error.__suppress_context__),
                self._members(error, depth),
                _cleaned(faults.traceback_text(error)),
                *([self._findings(error, depth)] if isinstance(error, ValidationError) else ()),
            ]
        finally:
            self._chain.pop()
        return Ext(scalars.EXCEPTION, _encode(parts))

    def _linked(self, error: BaseException | None, depth: int) -> Any:
        if error is None or id(error) in self._chain or len(self._chain) >= faults.CHAIN_LIMIT:
            return None
        kept = self._attempt(lambda: self._exception(error, depth + 1))
        return None if kept is _LOST else kept

    def _members(self, error: BaseException, depth: int) -> Any:
        if not isinstance(error, BaseExceptionGroup):
            return None
        return [
            self._exception(member, depth + 1)
            for member in error.exceptions
            if id(member) not in self._chain
        ]

    def _findings(self, error: ValidationError, depth: int) -> list[Any]:
        """What a ``ValidationError`` is made of; of inputs that are too big together, the first ones."""
        found = validation.taken_apart(error)
        limit = self._spent + _MAX_INPUTS
        lines = []
        for line in found.lines:
            before = self._spent
            given = self._kept(line.input, depth)
            if self._spent > limit:
                self._spent = before
                given = _cleaned(shown(line.input, 1000))
            context = {name: self._kept(item, depth) for name, item in line.context.items()}
            told = (line.type, line.template)
            kind, template = (text and _cleaned(text) for text in told)
            lines.append([kind, self._kept(line.loc, depth), given, context, template])
        return [_cleaned(found.title), lines, found.mode, found.hidden]

    def _kept(self, item: Any, depth: int) -> Any:
        """An argument of an exception; one that cannot be kept becomes its ``repr``."""
        kept = self._attempt(lambda: self._detached(item, depth))
        return _cleaned(shown(item, 1000)) if kept is _LOST else kept

    def _attributes(self, error: BaseException, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, item in faults.attributes(error).items():
            kept = self._attempt(lambda item=item: self._detached(item, depth))  # type: ignore[misc]  # bound now
            if kept is not _LOST and _encodable([name]):
                found[name] = kept
        return found

    def _detached(self, item: Any, depth: int) -> Any:
        """``item`` lowered, and known to be writable: a failure later would lose the whole exception."""
        lowered = self.lower(item, depth)
        if not self._careful:
            _encode(lowered)
        return lowered

    def _attempt(self, make: Callable[[], Any]) -> Any:
        spent = self._spent
        try:
            return make()
        except (Misfit, RecursionError):
            self._spent = spent
            return _LOST


_LOST = object()
_MAX_INPUTS = 1 << 20
"""Size of all inputs together that are kept of a ``ValidationError``."""


def _text_size(items: Iterable[Any], kinds: set[type]) -> int:
    """Characters and bytes in a collection of scalars."""
    if kinds.isdisjoint(_SIZED):
        return 0
    if _SIZED.issuperset(kinds):
        return sum(map(len, items))
    return sum([len(item) for item in items if type(item) in _SIZED])


def _encodable(texts: Any) -> bool:
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def _cleaned(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
