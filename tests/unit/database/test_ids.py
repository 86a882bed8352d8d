"""Moments and digests in; ids that sort, and refusals, out."""

from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waymark_schema.ids import new_instance_id, parse_instance_id, program_id

_LAST_NS = (1 << 48) * 1_000_000 - 1


@given(st.integers(0, _LAST_NS))
def test_an_instance_id_is_a_uuid_of_version_7_that_tells_its_millisecond(moment: int) -> None:
    made = new_instance_id(moment)
    assert made.version == 7
    assert made.variant == RFC_4122
    assert made.int >> 80 == moment // 1_000_000


@given(st.integers(0, _LAST_NS - 1_000), st.integers(250, 1_000))
def test_ids_sort_by_their_moment_even_inside_a_millisecond(moment: int, later_by: int) -> None:
    assert new_instance_id(moment) < new_instance_id(moment + later_by)


def test_two_ids_of_one_moment_differ() -> None:
    assert len({new_instance_id(1) for _ in range(10_000)}) == 10_000


def test_an_id_is_read_back_as_people_write_it() -> None:
    made = new_instance_id()
    assert parse_instance_id(str(made)) == made
    assert parse_instance_id(made.hex.upper()) == made


@pytest.mark.parametrize("text", ["", "42", "not-a-run", "0190b7a0-0000-7000-8000-00000000000g"])
def test_what_is_no_id_is_named_in_the_refusal(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not a run id; expected 32 hexadecimal digits"
    ) as caught:
        parse_instance_id(text)
    assert repr(text) in str(caught.value)


def test_a_program_id_is_the_head_of_its_digest_and_fits_a_bigint() -> None:
    assert program_id(bytes(32)) == 0
    assert program_id(b"\xff" * 32) == -1
    assert program_id(b"\x80" + bytes(31)) == -(1 << 63)
    assert isinstance(new_instance_id(), UUID)


def test_a_digest_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="digest of 20 bytes"):
        program_id(bytes(20))
