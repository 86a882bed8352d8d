"""An annotation in, a test out that says whether a value has that type already, all the way down."""

from __future__ import annotations

import collections
import collections.abc
import typing
from collections.abc import Callable
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Final, Literal, NewType, TypeVar, Union, get_args, get_origin

import typing_extensions
from pydantic.fields import FieldInfo

from waymark_schema.values.annotations import required_keys

Test = Callable[[Any], bool]
_WRAPPERS = {
    Final,
    typing.Required,
    typing.NotRequired,
    typing.ClassVar,
    getattr(typing, "ReadOnly", Final),
}
_COLLECTIONS = (
    list, set, frozenset, collections.deque, collections.abc.Sequence, collections.abc.MutableSequence,
    collections.abc.Collection, collections.abc.Iterable, collections.abc.Set, collections.abc.MutableSet,
)  # fmt: skip
_MAPPINGS = (
    dict, collections.OrderedDict, collections.defaultdict, collections.abc.Mapping, collections.abc.MutableMapping,
)  # fmt: skip
_ANNOTATION_PARTS = 2


def matches(value: Any, annotation: Any) -> bool:
    """Whether ``value`` has the annotated type already, so that it passes unchanged.

    >>> matches([1, 2], list[float]), matches(["1"], list[int])
    (True, False)
    """
    try:
        return _cached(annotation)(value)
    except TypeError:  # an annotation that cannot be hashed
        return _test(annotation)(value)


@lru_cache(maxsize=4096, typed=True)
def _cached(annotation: Any) -> Test:
    return _test(annotation)


def _test(annotation: Any) -> Test:
    if annotation is Any or annotation is object or annotation is typing.Unpack:
        return _always
    if annotation is None:
        return lambda value: value is None
    origin = get_origin(annotation)
    if origin is not None:
        return _generic_test(origin, get_args(annotation))
    if isinstance(annotation, type):
        return _class_test(annotation)
    return _unwrapped_test(annotation)


def _always(value: Any) -> bool:
    return True


def _never(value: Any) -> bool:
    return False


def _unwrapped_test(annotation: Any) -> Test:
    if isinstance(annotation, NewType):
        return _test(annotation.__supertype__)
    if isinstance(annotation, TypeVar):
        return (
            _always if annotation.__bound__ is None and not annotation.__constraints__ else _never
        )
    if type(annotation).__name__ == "TypeAliasType":
        return _once(lambda: _test(annotation.__value__))
    return _never


def _once(make: Callable[[], Test]) -> Test:
    """A test that is made when it is first needed: an annotation may refer to itself."""
    made: list[Test] = []

    def test(value: Any) -> bool:
        if not made:
            made.append(make())
        return made[0](value)

    return test


def _class_test(cls: type) -> Test:
    if cls is float:
        return lambda value: isinstance(value, float | int)
    if cls is complex:
        return lambda value: isinstance(value, complex | float | int)
    if cls is int:
        return lambda value: isinstance(value, int)
    if typing_extensions.is_typeddict(cls):
        return _typed_dict_test(cls)
    try:
        isinstance(None, cls)
    except TypeError:  # a protocol that is not checkable at run time
        return _never
    return lambda value: isinstance(value, cls)


def _typed_dict_test(cls: Any) -> Test:
    def keys_and_tests() -> Test:
        hints = typing.get_type_hints(cls, include_extras=True)
        required = required_keys(cls, hints)
        tests = {name: _test(hint) for name, hint in hints.items()}
        return lambda value: (
            type(value) is dict
            and required <= value.keys() <= tests.keys()
            and all(tests[name](item) for name, item in value.items())
        )

    return _once(keys_and_tests)


def _generic_test(origin: Any, arguments: tuple[Any, ...]) -> Test:  # noqa: PLR0911 - one line per form
    if origin is Annotated:
        return _annotated_test(arguments)
    if origin is Union or origin is UnionType:
        tests = [_test(argument) for argument in arguments]
        return lambda value: any(test(value) for test in tests)
    if origin is Literal:
        allowed = [(type(argument), argument) for argument in arguments]
        return lambda value: any(type(value) is kind and value == given for kind, given in allowed)
    if origin in _WRAPPERS:
        return _test(arguments[0])
    if origin is tuple:
        return _tuple_test(arguments)
    if origin in _COLLECTIONS and len(arguments) == 1:
        return _collection_test(origin, _test(arguments[0]))
    if origin in _MAPPINGS and len(arguments) == _ANNOTATION_PARTS:
        return _mapping_test(origin, _test(arguments[0]), _test(arguments[1]))
    if origin is collections.Counter:
        return _mapping_test(origin, _test(arguments[0]), _test(int))
    return _never


def _annotated_test(arguments: tuple[Any, ...]) -> Test:
    """Metadata that asks for something is checked by pydantic; documentation and other marks are not."""
    inner, *extras = arguments
    if all(_is_remark(extra) for extra in extras):
        return _test(inner)
    return _never


def _is_remark(extra: Any) -> bool:
    if isinstance(extra, FieldInfo):
        return not extra.metadata and extra.discriminator is None
    module = type(extra).__module__.partition(".")[0]
    asks = module in {"annotated_types", "pydantic", "pydantic_core"} or hasattr(
        extra, "__get_pydantic_core_schema__"
    )
    return not asks


def _tuple_test(arguments: tuple[Any, ...]) -> Test:
    if len(arguments) == _ANNOTATION_PARTS and arguments[1] is Ellipsis:
        return _collection_test(tuple, _test(arguments[0]))
    tests = [_test(argument) for argument in arguments]
    return lambda value: (
        isinstance(value, tuple)
        and len(value) == len(tests)
        and all(test(item) for test, item in zip(tests, value, strict=True))
    )


def _collection_test(origin: Any, item_test: Test) -> Test:
    plain = origin in {
        collections.abc.Sequence,
        collections.abc.Collection,
        collections.abc.Iterable,
    }

    def test(value: Any) -> bool:
        if not isinstance(value, origin) or (
            plain and isinstance(value, str | bytes | bytearray | dict)
        ):
            return False
        return item_test is _always or all(map(item_test, value))

    return test


def _mapping_test(origin: Any, key_test: Test, value_test: Test) -> Test:
    def test(value: Any) -> bool:
        return isinstance(value, origin) and all(
            key_test(key) and value_test(item) for key, item in value.items()
        )

    return test
