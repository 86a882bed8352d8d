"""Enums of the standard library: one descriptor on every Python, and members that show themselves as theirs do."""

import enum
import http
import re
from typing import Any

import pytest

from tests.unit.values.conftest import describe, shadow
from waymark_schema.values.standard_enums import SOMEWHERE, missing_somewhere


class Loud(enum.Enum):
    HIGH = 1


class Bits(enum.IntFlag):
    ONE = 1
    TWO = 2


class Level(enum.IntEnum):
    LOW = 1


Loud.__repr__ = Level.__repr__ = enum.global_enum_repr  # type: ignore[assignment,method-assign]  # as enum.global_enum does
Bits.__repr__ = enum.global_flag_repr  # type: ignore[assignment,method-assign]  # likewise
Loud.__str__ = enum.global_str  # type: ignore[assignment,method-assign]  # likewise


@pytest.mark.parametrize("cls", [re.RegexFlag, http.HTTPStatus])
def test_what_only_some_pythons_have_is_in_no_descriptor(cls: Any) -> None:
    found = describe(cls)
    left_out = SOMEWHERE[found.qualname]
    assert left_out.isdisjoint(name for name, _ in found.members)
    assert [name for name, _ in found.members] == [
        name for name in cls.__members__ if name not in left_out
    ]
    for name, member in cls.__members__.items():
        assert missing_somewhere(member) == (member.name in left_out), name


@pytest.mark.parametrize("cls", [re.RegexFlag, Loud, Bits, Level])
def test_members_show_themselves_as_global_names_where_the_class_says_so(cls: Any) -> None:
    made = shadow(cls)
    for member in cls:
        if not missing_somewhere(member):
            ours = made[member.name]
            assert (repr(ours), str(ours), f"{ours}") == (repr(member), str(member), f"{member}")


def test_combined_flags_show_themselves_as_the_class_shows_them() -> None:
    made: Any = shadow(re.RegexFlag)
    assert repr(made(10)) == repr(re.RegexFlag(10)) == "re.IGNORECASE|re.MULTILINE"
    assert repr(made(1026)) == repr(re.RegexFlag(1026))
    assert made(1026).name == re.RegexFlag(1026).name
