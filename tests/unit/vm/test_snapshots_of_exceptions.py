"""Whatever a builtin exception class keeps outside ``args`` and ``__dict__`` is there again after a snapshot."""

from __future__ import annotations

from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

import pytest

from waymark_schema.values.faults import BUILTIN
from waymark_worker.vm import snapshot_faults as faults

UNREADABLE = frozenset({"obj", "name_from", "print_file_and_line"})
"""Fields that a workflow cannot read: the machine refuses each by name."""
ARGUMENTS: dict[type[BaseException], list[tuple[Any, ...]]] = {
    OSError: [
        (), ("text",), (2, "No such file"), (2, "No such file", "/x"), (2, "gone", "/x", None, "/y"),
        (None, "text"), (None, None), (2, None),
    ],
    BlockingIOError: [(11, "busy", 7)],
    UnicodeDecodeError: [("utf-8", b"a\xffb", 1, 2, "why")],
    UnicodeEncodeError: [("ascii", "aéb", 1, 2, "why")],
    UnicodeTranslateError: [("aéb", 1, 2, "why")],
    SyntaxError: [("text",), ("text", ("file", 3, 4, "line", 3, 9)), ("text", ("file", 3, 4, "line"))],
    SystemExit: [(3,), (1, 2)],
    StopIteration: [(5,), (1, 2)],
    ImportError: [("text",), ("text", 2)],
}  # fmt: skip
SAMPLES: dict[str, Any] = {
    "start": 0, "end": 1, "object": None, "characters_written": 4, "args": None,
    "errno": 5, "lineno": 8, "offset": 9,
}  # fmt: skip
CLASSES = sorted(
    (kind for kind in BUILTIN.values() if not issubclass(kind, BaseExceptionGroup)),
    key=lambda kind: kind.__name__,
)


def _fields(kind: type[BaseException]) -> dict[str, Any]:
    return {
        name: held
        for base in kind.__mro__
        for name, held in vars(base).items()
        if isinstance(held, GetSetDescriptorType | MemberDescriptorType)
        and not name.startswith("__")
        and name not in UNREADABLE
    }


def _made(kind: type[BaseException]) -> list[BaseException]:
    calls = next((ARGUMENTS[base] for base in kind.__mro__ if base in ARGUMENTS), [(), ("text", 2)])
    return [kind(*arguments) for arguments in calls]


def _shown(error: BaseException, kind: type[BaseException]) -> list[Any]:
    values = [(name, repr(getattr(error, name, "absent"))) for name in sorted(_fields(kind))]
    return [type(error), str(error), repr(error), values]


def _again(error: BaseException) -> BaseException:
    made = faults.blank(type(error))
    faults.fill(
        made, error.args, dict(error.__dict__), faults.special_parts(error), faults.past(error)
    )
    return made


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_field_comes_back(kind: type[BaseException]) -> None:
    own = type(f"My{kind.__name__}", (kind,), {})
    for error in (*_made(kind), *_made(own)):
        assert _shown(_again(error), kind) == _shown(error, kind)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_field_comes_back_as_it_was_changed(kind: type[BaseException]) -> None:
    for error in _made(kind):
        for name in _fields(kind):
            value = SAMPLES.get(name, f"new {name}")
            if value is not None:
                setattr(error, name, value)
        error.args = ("other", 7)
        assert _shown(_again(error), kind) == _shown(error, kind)


def test_a_unicode_error_is_about_nothing_that_the_host_would_misread() -> None:
    made = faults.blank(UnicodeDecodeError)
    with pytest.raises(TypeError, match="object of a UnicodeDecodeError is a int"):
        faults.fill(made, (), {}, ["utf-8", 0, 1, "why", 1 << 90], None)
