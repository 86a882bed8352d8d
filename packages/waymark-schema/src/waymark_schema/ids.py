"""The typed identifiers of rows: a moment or a digest goes in, an id comes out."""

import os
import time
from typing import NewType
from uuid import UUID

InstanceId = NewType("InstanceId", UUID)
"""One run of a program; made by the client, so that a resent enqueue is the same run."""
ProgramId = NewType("ProgramId", int)
"""The first eight bytes of a program's digest: known before the program is stored."""
LeaseId = NewType("LeaseId", int)
"""One runloop process's claim; the sequence never gives the same number twice."""
PoolId = NewType("PoolId", int)
"""One pool process tree, as registered when it started."""
ScheduleId = NewType("ScheduleId", int)
"""One cron or interval definition."""
InboxId = NewType("InboxId", int)
"""One message addressed to an instance."""

_MILLISECOND_NS = 1_000_000
_DIGEST_BYTES = 32


def new_instance_id(now_ns: int | None = None) -> InstanceId:
    """Make a UUIDv7 whose leading 60 bits are the time, so that ids sort by creation.

    `now_ns` is nanoseconds since the Unix epoch; left out, the wall clock is read. The sub-millisecond
    part fills `rand_a` (RFC 9562, section 6.2, method 3); the last 62 bits are random, read from the
    operating system every time, so that forked processes never share a sequence.

    >>> new_instance_id().version
    7
    """
    moment = time.time_ns() if now_ns is None else now_ns
    millisecond, rest = divmod(moment, _MILLISECOND_NS)
    fraction = (rest << 12) // _MILLISECOND_NS
    random = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    value = (millisecond & 0xFFFF_FFFF_FFFF) << 80 | 0x7000 << 64 | fraction << 64
    return InstanceId(UUID(int=value | 0x8000_0000_0000_0000 | random))


def parse_instance_id(text: str) -> InstanceId:
    """Read an instance id as a person or a URL spells it.

    Raises ValueError naming the text when it is not a UUID.

    >>> parse_instance_id("0190b7a0-0000-7000-8000-000000000001").hex
    '0190b7a0000070008000000000000001'
    """
    try:
        return InstanceId(UUID(text))
    except ValueError:
        raise ValueError(
            f"{text!r} is not a run id; expected 32 hexadecimal digits such as"
            " 0190b7a0-0000-7000-8000-000000000001, as `Run.id` and the web show them"
        ) from None


def program_id(digest: bytes) -> ProgramId:
    """Derive the row id of a program from its 32-byte digest.

    Being derived, it is known to a client that has not spoken to the database, and a program that was
    pruned and is registered again gets its old id back.

    >>> program_id(bytes(32))
    0
    """
    if len(digest) != _DIGEST_BYTES:
        raise ValueError(
            f"a program digest of {len(digest)} bytes was given; expected the 32 bytes of ir.digest"
        )
    return ProgramId(int.from_bytes(digest[:8], "big", signed=True))
