"""Ids in; payloads that Postgres takes, and the ids again, out."""

from uuid import uuid4

import pytest

from waymark_schema.ids import LeaseId
from waymark_schema.tables import leases, notifications


@pytest.mark.parametrize("count", [0, 1, 246, 247, 1000])
def test_ids_survive_the_trip_through_payloads(count: int) -> None:
    ids = [uuid4() for _ in range(count)]
    payloads = notifications.pack_ids(ids)
    assert [found for payload in payloads for found in notifications.unpack_ids(payload)] == ids
    assert all(len(payload) < 8000 for payload in payloads)


def test_half_an_id_is_refused() -> None:
    with pytest.raises(ValueError, match="not made of"):
        notifications.unpack_ids("abc")


def test_channels_and_lock_keys_differ_between_schemas() -> None:
    channels = {
        name(schema)
        for name in (
            notifications.ready_channel,
            notifications.finished_channel,
            notifications.inbox_channel,
        )
        for schema in ("a", "b")
    }
    assert len(channels) == 6
    assert leases.lock_class("a") != leases.lock_class("b")


@pytest.mark.parametrize("lease", [1, 2**31, 2**40 + 5])
def test_a_lock_key_fits_four_bytes_whatever_the_lease(lease: int) -> None:
    assert 0 <= leases.lock_key(LeaseId(lease)) < 2**31
