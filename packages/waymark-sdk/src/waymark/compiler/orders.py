"""A pure expression goes in; whether its value follows the order of a set, or the time zone of the process, comes out."""

from __future__ import annotations

import ast
import dataclasses
import datetime as dt
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

from waymark.compiler.durable import parts_of, within
from waymark.compiler.language import Names
from waymark.compiler.purity import evaluated
from waymark.compiler.symbols import Builtin, Namespace, resolve_expression

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SETS = frozenset({"set", "frozenset"})
_BLIND = _SETS | {"len", "bool", "any", "all"}
"""Calls whose results are the same in whatever order a set is walked."""
_BY_ITEMS = frozenset({"sorted", "min", "max"})
"""Calls that are so while there is no key that makes items alike."""
_SEQUENCES = frozenset({"list", "tuple"})
_TEXTS = frozenset({"str", "bytes", "repr", "bytearray"})
_SUMS = (int, Fraction, dt.timedelta)
"""Sums of these are exact; those of others are rounded, or are sequences."""
_METHODS_OF_SETS = frozenset(
    "copy difference intersection isdisjoint issubset issuperset symmetric_difference union".split()
)
_TAKING = frozenset({"get", "index", "count"})
"""Methods of other containers that only compare what they are given, or hand it out."""
_NEVER = (
    ast.Constant,
    ast.Compare,
    ast.JoinedStr,
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.ListComp,
    ast.DictComp,
)
_WALKED = (Iterator, KeysView, ValuesView, ItemsView)
_UNKNOWN = object()
_ANY_DEPTH = 99
Locals = Mapping[str, int]
"""What comprehensions bind, and how deep there may be sets in it: 0 if there are none, 1 if it is one itself."""


@dataclasses.dataclass(frozen=True, slots=True)
class Orders:
    """Judges expressions that are pure but for this."""

    language: Names
    namespace: Namespace

    def why_not(self, node: ast.expr) -> str | None:
        """Why the value of ``node`` may differ between processes, or None."""
        zoned = next((part for part in ast.walk(node) if self._is_of_zone(part)), None)
        if zoned is not None:
            why = "depends on the time zone of the process; give it one, as `timezone.utc`"
            return f"`{ast.unparse(zoned)}` {why}"
        seen = self._seen(node, {}) if self._mentions_set(node) else None
        if seen is not None:
            why = "follows the order of a set, which may be another one in every process; use sorted(…)"
            return f"`{ast.unparse(seen)}` {why}"
        return None

    def _is_of_zone(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Attribute(attr="fromtimestamp"), args=[_, zone]):
                return self._value(zone) is None
            case ast.Call(func=ast.Attribute(attr="fromtimestamp"), keywords=keywords):
                zones = [each.value for each in keywords if each.arg == "tz"]
                return not zones or self._value(zones[0]) is None
            case ast.Call(func=ast.Attribute(attr="astimezone"), args=[], keywords=[]):
                return True
            case ast.Call(func=ast.Attribute(value=owner, attr="timestamp" | "astimezone")):
                value = self._value(owner)
                return isinstance(value, dt.datetime) and value.utcoffset() is None
            case _:
                return False

    def _mentions_set(self, node: ast.expr) -> bool:
        """Whether there may be a set in it: most expressions have none, and are not looked at again."""
        return any(
            isinstance(part, ast.Set | ast.SetComp)
            or (isinstance(part, ast.Attribute) and part.attr in {"keys", "items"})
            or (isinstance(part, ast.Name | ast.Attribute) and self._names_set(part))
            for part in ast.walk(node)
        )

    def _names_set(self, node: ast.Name | ast.Attribute) -> bool:
        return self._named(node) in _SETS or has_set(self._read(node))

    def _named(self, node: ast.expr) -> str | None:
        """The name that the language has for a function or class."""
        found = resolve_expression(node, self.namespace, self.language)
        return found.name if isinstance(found, Builtin) else None

    def _read(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):
                return self.namespace.names.get(name)
            case ast.Attribute(value=owner, attr=name):
                return getattr(self._read(owner), name, None)
            case _:
                return None

    def _seen(self, node: ast.expr, bound: Locals, *, blind: bool = False) -> ast.expr | None:
        """The part that follows the order of a set; ``blind`` is what has ``node`` to the order of its items."""
        match node:
            case ast.Starred(value=value) if self._is_set(value, bound):
                return node
            case ast.FormattedValue(value=value) | ast.BinOp(op=ast.Mod(), right=value) if (
                self._holds(value, bound)
            ):
                return node
            case ast.Call():
                return self._call(node, bound, blind=blind)
            case _ if isinstance(node, _COMPREHENSIONS):
                return self._comprehension(node, bound, blind=blind)
            case _:
                parts = _parts(node)
                if isinstance(node, ast.Set):
                    parts = [
                        each.value if isinstance(each, ast.Starred) else each for each in parts
                    ]
                return self._first(parts, bound)

    def _first(
        self, parts: list[ast.expr], bound: Locals, *, blind: bool = False
    ) -> ast.expr | None:
        found = (self._seen(part, bound, blind=blind) for part in parts)
        return next((part for part in found if part is not None), None)

    def _comprehension(self, node: Any, bound: Locals, *, blind: bool) -> ast.expr | None:
        blind = blind or isinstance(node, ast.SetComp)
        for generator in node.generators:
            seen = self._seen(generator.iter, bound, blind=blind)
            if seen is None and not blind and self._is_set(generator.iter, bound):
                seen = node
            if seen is not None:
                return seen
            inside = self._depth_inside(generator.iter, bound)
            names = [part.id for part in ast.walk(generator.target) if isinstance(part, ast.Name)]
            bound = {**bound, **dict.fromkeys(names, inside)}
            seen = self._first(generator.ifs, bound)
            if seen is not None:
                return seen
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return self._first(parts, bound)

    def _call(self, node: ast.Call, bound: Locals, *, blind: bool) -> ast.expr | None:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        name = self._named(node.func)
        sets = any(self._is_set(part, bound) for part in given)
        holds = any(self._holds(part, bound) for part in given)
        if name is not None:
            blind = self._is_blind(node, name, bound, blind=blind)
            shown = holds if name in _TEXTS else sets and not blind
        elif isinstance(found := self._read(node.func), type):
            blind = False
            shown = holds and issubclass(found, BaseModel) and not self._keeps_sets(node, bound)
        elif owner is None:
            blind, shown = False, sets
        elif self._is_set(owner, bound) and node.func.attr in _METHODS_OF_SETS:  # type: ignore[attr-defined]  # an attribute has an owner
            blind, shown = True, False
        else:
            blind = False
            shown = holds and node.func.attr not in _TAKING  # type: ignore[attr-defined]  # as above
        if shown:
            return node
        parts = given if owner is None or name is not None else [owner, *given]
        return self._first(parts, bound, blind=blind)

    def _is_blind(self, node: ast.Call, name: str, bound: Locals, *, blind: bool) -> bool:
        """Whether a call of the language gives the same in whatever order its arguments are walked."""
        if name in _BLIND:
            return True
        if name in _BY_ITEMS:
            inside = any(self._depth_inside(part, bound) for part in node.args)
            return not inside and not node.keywords
        if name == "sum":
            return self._is_closed(node, bound) and isinstance(self._value(node), _SUMS)
        return blind and name in _SEQUENCES

    def _keeps_sets(self, node: ast.Call, bound: Locals) -> bool:
        """Whether a model has all sets that it is given, and no lists that were made of them."""
        if not self._is_closed(node, bound):
            return False
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        made = self._value(node)
        if made is _UNKNOWN:
            return False
        kept = [getattr(made, name) for name in made.model_fields_set]
        return _count(kept) >= sum(_count(self._value(one)) for one in given)

    def _is_closed(self, node: ast.expr, bound: Locals) -> bool:
        """Whether ``node`` can be evaluated by itself."""
        return not any(isinstance(part, ast.Name) and part.id in bound for part in ast.walk(node))

    def _value(self, node: ast.expr) -> Any:
        """The value of a part; iterators are walked. Parts that do not run may have none."""
        try:
            value = evaluated(node, self.namespace)
            return list(value) if isinstance(value, _WALKED) else value
        except Exception:  # noqa: BLE001 - whatever the part would raise
            return _UNKNOWN

    def _is_set(self, node: ast.expr, bound: Locals) -> bool:
        """Whether ``node`` is a set, as far as that is known; or a set is what its items come from."""
        if isinstance(node, ast.Starred):
            return self._is_set(node.value, bound)
        if self._is_closed(node, bound) and (value := self._value(node)) is not _UNKNOWN:
            return isinstance(value, set | frozenset)
        if isinstance(node, _NEVER) or (isinstance(node, ast.Call) and self._is_no_set(node)):
            return False
        return self._holds(node, bound)

    def _is_no_set(self, node: ast.Call) -> bool:
        name = self._named(node.func)
        return name is not None and name not in {*_SETS, "min", "max", "sum"}

    def _holds(self, node: ast.expr, bound: Locals) -> bool:
        """Whether ``node`` is a set or has one in it."""
        if isinstance(node, ast.Starred):
            return self._holds(node.value, bound)
        if self._is_closed(node, bound) and (value := self._value(node)) is not _UNKNOWN:
            return has_set(value)
        return any(
            isinstance(part, ast.Set | ast.SetComp)
            or (isinstance(part, ast.Name) and bound.get(part.id, 0) > 0)
            or (
                isinstance(part, ast.Name | ast.Attribute)
                and self._is_closed(part, bound)
                and self._names_set(part)
            )
            for part in ast.walk(node)
        )

    def _depth_inside(self, node: ast.expr, bound: Locals) -> int:
        """How deep there are sets in the items of ``node``."""
        if isinstance(node, ast.Name) and node.id in bound:
            return max(0, bound[node.id] - 1)
        if self._is_closed(node, bound) and (value := self._value(node)) is not _UNKNOWN:
            return max(map(_depth, parts_of(value)), default=0)
        return _ANY_DEPTH if self._holds(node, bound) else 0


def _parts(node: ast.AST) -> list[ast.expr]:
    return [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]


def _count(value: Any, around: frozenset[int] = frozenset()) -> int:
    """How many sets there are in a value, which may hold itself."""
    if id(value) in around:
        return 0
    around |= {id(value)}
    own = isinstance(value, set | frozenset)
    return own + sum(_count(part, around) for part in parts_of(value))


def _depth(value: Any, around: frozenset[int] = frozenset()) -> int:
    """How deep there is a set in a value: 1 if it is one itself."""
    if id(value) in around:
        return 0
    around |= {id(value)}
    inside = max((_depth(part, around) for part in parts_of(value)), default=0)
    return inside + 1 if inside or isinstance(value, set | frozenset) else 0


def has_set(value: Any) -> bool:
    """Whether a value is a set or has one in it."""
    return any(isinstance(one, set | frozenset) for one in within(value))
