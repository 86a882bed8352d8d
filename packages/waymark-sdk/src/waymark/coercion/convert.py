"""A decoded value and an annotation in; a value of that type out, unchanged where it fits already."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import SchemaError

from waymark.coercion.matching import matches
from waymark_schema.errors import WaymarkError
from waymark_schema.values.records import Record
from waymark_schema.values.shown import shown

_SHOWN = 5
_TEXT = 120


class CoercionError(WaymarkError, ValueError):
    """A value does not fit its annotation; ``path`` is where the first mismatch stands.

    ``problems`` are pairs of path and text, one for each mismatch.
    """

    def __init__(
        self, message: str, *, path: str = "", problems: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.path = path
        self.problems = problems


def coerce(value: Any, annotation: Any, *, path: str = "value") -> Any:
    """``value`` in the type of ``annotation``.

    What has that type already, all the way down, passes unchanged (an int where a float is asked for
    too); anything else goes through pydantic's ``TypeAdapter``. ``path`` is how errors call the value.
    Raises ``CoercionError`` with the path of every part that does not fit.

    >>> coerce({"a": "1"}, dict[str, int])
    {'a': 1}
    """
    if matches(value, annotation):
        if _holds_records(value):
            raise _unresolved(value, path)
        return value
    adapter = _adapter(annotation, path)
    try:
        return adapter.validate_python(_without_records(value), by_alias=True, by_name=True)
    except ValidationError as error:
        raise _explained(error, annotation, path) from None


def _adapter(annotation: Any, path: str) -> TypeAdapter[Any]:
    try:
        return _cached_adapter(annotation)
    except TypeError:  # an annotation that cannot be hashed
        return _new_adapter(annotation)
    except (PydanticSchemaGenerationError, PydanticUserError, SchemaError) as error:
        msg = (
            f"{path}: the annotation {annotation!r:.200} cannot be checked: {str(error).splitlines()[0]}; "
            "annotate with types that pydantic knows, or with Any"
        )
        raise CoercionError(msg, path=path) from None


@lru_cache(maxsize=4096, typed=True)
def _cached_adapter(annotation: Any) -> TypeAdapter[Any]:
    return _new_adapter(annotation)


def _new_adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation)
    except PydanticSchemaGenerationError:
        return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))


def _explained(error: ValidationError, annotation: Any, path: str) -> CoercionError:
    problems = tuple(
        (path + _place(found["loc"]), f"{found['msg']}, got {_shown(found['input'])}")
        for found in error.errors(include_url=False, include_context=False)
    )
    lines = [f"{place}: {text}" for place, text in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"… and {len(problems) - _SHOWN} more")
    message = f"{'; '.join(lines)} (expected {_named(annotation)})"
    return CoercionError(message, path=problems[0][0] if problems else path, problems=problems)


def _place(parts: tuple[int | str, ...]) -> str:
    return "".join(
        f"[{part}]"
        if isinstance(part, int)
        else f".{part}"
        if part.isidentifier()
        else f"[{part!r}]"
        for part in parts
    )


def _shown(value: Any) -> str:
    return f"{shown(value, _TEXT)} ({type(value).__name__})"


def _named(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)[:200]


def _without_records(value: Any) -> Any:
    """``value`` with every record replaced by its parts, which is what pydantic validates."""
    if not _holds_records(value):
        return value
    if isinstance(value, Record):
        if value.reference.kind == "enum":
            return value.fields["value"]
        return {name: _without_records(item) for name, item in value.fields.items()}
    if isinstance(value, dict):
        return {key: _without_records(item) for key, item in value.items()}
    return type(value)(_without_records(item) for item in value)


def _holds_records(value: Any) -> bool:
    kind = type(value)
    if kind is Record:
        return True
    if kind is dict:
        return any(map(_holds_records, value.values()))
    return kind in _CONTAINERS and any(map(_holds_records, value))


_CONTAINERS = frozenset({list, tuple, set, frozenset, deque})


def _unresolved(value: Any, path: str) -> CoercionError:
    names = sorted({record.reference.qualname for record in _records(value)})
    msg = (
        f"{path}: {', '.join(names)} cannot be imported here, so its instances cannot be made; "
        "make the class importable under that name, or annotate with the class that took its place"
    )
    return CoercionError(msg, path=path)


def _records(value: Any) -> list[Record]:
    if isinstance(value, Record):
        return [value]
    if isinstance(value, dict):
        return [record for item in value.values() for record in _records(item)]
    return (
        [record for item in value for record in _records(item)]
        if type(value) in _CONTAINERS
        else []
    )
