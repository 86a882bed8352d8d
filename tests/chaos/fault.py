"""What a fault is: a setting to change before a round, an arena to strike in during it, harm to mend after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, ClassVar

from tests.chaos.server import ChaosServer
from tests.support.pg_proxy import PgProxy

if TYPE_CHECKING:
    from tests.chaos.arena import Arena


@dataclass(slots=True)
class PoolPlan:
    """How one pool of a round is started; whoever replaces it when it was killed starts it the same way."""

    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    may_end: bool = False
    """Whether it may end without a fault having said `arena.ended(pool)`: its own actions kill it."""


@dataclass(slots=True)
class Setting:
    """One round before it begins. The database exists and is migrated; nothing else runs yet."""

    server: ChaosServer
    url: str
    """The database itself, for the harness; faults never stand in its way."""
    pool_url: str
    """What pools connect to: `url`, unless the round has a pooler or a fault puts a proxy in between."""
    client_url: str
    """What the load's client and its bridge connect to."""
    pools: list[PoolPlan]
    faults: tuple[str, ...] = ()
    """Names of all that strike in it."""
    variables: dict[str, str] = field(default_factory=dict)
    """For every pool."""
    patches: list[str] = field(default_factory=list)
    """`module:function` to call in every process of every pool before it does anything."""
    extra: list[str] = field(default_factory=list)
    """Names of further workflows (`tests.chaos.workflows.SPECIAL`) for the load."""
    window: int = 24
    """How many runs are unfinished at any time."""
    beyond_pooler: PgProxy | None = None
    """In a round behind a pooler, what lies between that and the server."""


class Fault:
    """One kind of trouble; made anew for each round, so that it may keep what it changed.

    The order in a round: `prepare`; pools and load start; `strike`, many times, with work going on in
    between; `mend`; the load is waited for; everything ends; `close`. In a combination the faults of a round
    take turns in striking. All chance comes from the Random that is given, which the seed of the round made.
    """

    name: ClassVar[str]
    """As in the table: F1."""
    title: ClassVar[str]
    alone: ClassVar[bool] = False
    """Whether it must not be combined with others."""
    seconds: ClassVar[float] = 12.0
    """How long a round strikes."""

    @classmethod
    def missing(cls) -> str | None:
        """Say what has to be installed before it can be used here; None if nothing."""
        return None

    def serve(self, shared: ChaosServer) -> ChaosServer:
        """Return the server for the round: the shared one, or one of its own (started; close it in `close`)."""
        return shared

    def prepare(self, setting: Setting, chance: Random) -> None:
        """Change how the round is started."""

    def strike(self, arena: Arena, chance: Random) -> None:
        """Do harm once. Whatever it leaves broken, `mend` repairs; it may also repair it itself."""

    def mend(self, arena: Arena) -> None:
        """End all harm: from here on every run must finish. Called once, whatever happened before."""

    def struck(self, arena: Arena) -> int | None:
        """How often it did harm, once no process of the round runs any more; None if nobody can tell."""
        return None if type(self).strike is Fault.strike else arena.strikes[self.name]

    def close(self) -> None:
        """Give up what `serve` and `prepare` made. Called once, when no process of the round runs any more."""
