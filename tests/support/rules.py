"""A rule that a statement keeps in; the statement without it, and who is fenced or offers meanwhile, out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from types import ModuleType

import psycopg
import pytest

from tests.support.engine import Engine, Owner
from waymark_schema.database import execute
from waymark_schema.tables import offers
from waymark_schema.tables.instances import Claimed
from waymark_schema.tables.offers import NewOffer, OfferKey

KEY_SHARE = " for key share"
NOT_FENCED = " and not fenced for key share"
CAUGHT = (AssertionError, psycopg.Error, TimeoutError, pytest.fail.Exception, ExceptionGroup)
Scenario = Callable[[Engine], Awaitable[None]]


@dataclass(frozen=True)
class Mutant:
    """A rule taken out of a statement, and the scenario that must not survive it."""

    module: ModuleType
    statement: str
    old: str
    new: str
    scenario: Scenario

    def apply(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the rule out for one test."""
        statement = getattr(self.module, self.statement)
        assert self.old in statement.text, statement.text
        text = statement.text.replace(self.old, self.new)
        monkeypatch.setattr(self.module, self.statement, replace(statement, text=text))

    def __str__(self) -> str:
        return f"{self.statement.lower()}: {self.old.strip()} -> {self.new.strip() or 'nothing'}"


def scenarios(mutants: Iterable[Mutant]) -> list[Scenario]:
    """Each scenario once, in the order of the mutants."""
    return list(dict.fromkeys(mutant.scenario for mutant in mutants))


async def fence(engine: Engine, owner: Owner) -> None:
    await engine.session.connection.execute(
        "update waymark.leases set fenced = true where id = %s", [owner.lease]
    )


async def offered(owner: Owner, claimed: Claimed) -> OfferKey:
    row = NewOffer(claimed.id, 0, 1, "app:ship", b"", claimed.program, timedelta(0))
    await execute.execute(owner.session, offers.offer(owner.lease, [row]))
    return OfferKey(claimed.id, 0, 1)
