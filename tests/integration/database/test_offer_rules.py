"""Every rule of offers in; the scenario that fails as soon as the rule is taken out of its statement out."""

from __future__ import annotations

import pytest

from tests.support.engine import Engine
from tests.support.rules import (
    CAUGHT,
    KEY_SHARE,
    NOT_FENCED,
    Mutant,
    Scenario,
    fence,
    offered,
    scenarios,
)
from waymark_schema.database import execute
from waymark_schema.kinds import OutcomeKind
from waymark_schema.tables import offers
from waymark_schema.tables.offers import OfferedEnd

pytestmark = pytest.mark.postgres


async def the_fenced_neither_offer_nor_take_nor_report(engine: Engine) -> None:
    await engine.enqueue(2)
    async with engine.owner() as owner, engine.owner() as taker, engine.owner() as late:
        first, second = await owner.claim()
        key = await offered(owner, first)
        take = offers.take(taker.lease, ["app:ship"], room=5)
        assert len(await execute.fetch_all(taker.session, take)) == 1
        await fence(engine, taker)
        end = OfferedEnd(*key, int(OutcomeKind.VALUE), b"", True)
        await execute.execute(taker.session, offers.finish(taker.lease, [end]))
        assert await engine.count("inbox") == 0
        await fence(engine, owner)
        await offered(owner, second)
        assert await engine.count("offers") == 1
        await fence(engine, late)
        await execute.fetch_all(engine.session, offers.give_back(taker.lease, [key]))
        take = offers.take(late.lease, ["app:ship"], room=5)
        assert await execute.fetch_all(late.session, take) == []


async def a_call_that_a_dead_pool_ran_is_its_owners_alone(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner, engine.owner() as taker, engine.owner() as third:
        (claimed,) = await owner.claim()
        await offered(owner, claimed)
        take = offers.take(taker.lease, ["app:ship"], room=5)
        assert len(await execute.fetch_all(taker.session, take)) == 1
        take = offers.take(third.lease, ["app:ship"], room=5)
        assert await execute.fetch_all(third.session, take) == []
        await fence(engine, taker)
        assert len(await execute.fetch_all(engine.session, offers.release(room=10))) == 1
        assert await execute.fetch_all(third.session, take) == []


async def the_fenced_adopt_nothing(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner, engine.owner() as late, engine.owner() as heir:
        (claimed,) = await owner.claim()
        await offered(owner, claimed)
        await fence(engine, owner)
        await fence(engine, late)
        adopt = offers.adopt(late.lease, [claimed.id])
        assert await execute.fetch_all(late.session, adopt) == []
        assert await engine.rows("select owner from waymark.offers") == [(owner.lease,)]
        adopt = offers.adopt(heir.lease, [claimed.id])
        assert len(await execute.fetch_all(heir.session, adopt)) == 1


async def the_fenced_do_not_tell_that_a_call_runs_alone(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner, engine.owner() as taker:
        (claimed,) = await owner.claim()
        key = await offered(owner, claimed)
        take = offers.take(taker.lease, ["app:ship"], room=5)
        assert len(await execute.fetch_all(taker.session, take)) == 1
        shared = offers.mark_alone(taker.lease, key, alone=False)
        assert len(await execute.fetch_all(taker.session, shared)) == 1
        await fence(engine, taker)
        alone = offers.mark_alone(taker.lease, key, alone=True)
        assert await execute.fetch_all(taker.session, alone) == []
        assert await engine.rows("select alone_since from waymark.offers") == [(None,)]


async def the_fenced_take_no_call_that_its_own_pool_cannot_run(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner, engine.owner() as late, engine.owner() as taker:
        (claimed,) = await owner.claim()
        await offered(owner, claimed)
        await fence(engine, late)
        take = offers.take_foreign(late.lease, ["app:ship"], room=5)
        assert await execute.fetch_all(late.session, take) == []
        take = offers.take_foreign(taker.lease, ["app:ship"], room=5)
        assert len(await execute.fetch_all(taker.session, take)) == 1


async def who_gave_a_call_back_does_not_finish_it_for_the_next(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner, engine.owner() as former, engine.owner() as taker:
        (claimed,) = await owner.claim()
        key = await offered(owner, claimed)
        for each in (former, taker):
            take = offers.take(each.lease, ["app:ship"], room=5)
            assert len(await execute.fetch_all(each.session, take)) == 1
            if each is former:
                await execute.execute(former.session, offers.give_back(former.lease, [key]))
        for ended in (True, False):
            end = OfferedEnd(*key, int(OutcomeKind.VALUE), b"", ended)
            await execute.execute(former.session, offers.finish(former.lease, [end]))
            assert await engine.count("inbox") == 0
        assert await engine.rows("select taken_by from waymark.offers") == [(taker.lease,)]


async def nobody_takes_what_it_offers_itself(engine: Engine) -> None:
    await engine.enqueue(1)
    async with engine.owner() as owner:
        (claimed,) = await owner.claim()
        await offered(owner, claimed)
        for take in (offers.take, offers.take_foreign):
            query = take(owner.lease, ["app:ship"], room=5)
            assert await execute.fetch_all(owner.session, query) == []


async def what_a_dead_or_vanished_taker_held_is_its_owners_again(engine: Engine) -> None:
    await engine.enqueue(3)
    async with (
        engine.owner() as owner,
        engine.owner() as vanished,
        engine.owner() as dead,
        engine.owner() as alive,
    ):
        for claimed in await owner.claim():
            await offered(owner, claimed)
        for taker in (vanished, dead, alive):
            take = offers.take(taker.lease, ["app:ship"], room=1)
            assert len(await execute.fetch_all(taker.session, take)) == 1
        await fence(engine, dead)
        await engine.session.connection.execute(
            "delete from waymark.leases where id = %s", [vanished.lease]
        )
        assert len(await execute.fetch_all(engine.session, offers.release(room=10))) == 2
        held = await engine.rows("select taken_by from waymark.offers where taken_by is not null")
        assert held == [(alive.lease,)]


_OF_ANYBODY = "    returning f.instance, f.call, f.attempt\n"
_OF_THE_TAKER = "        and f.taken_by = $1::bigint\n" + _OF_ANYBODY
MUTANTS = [
    Mutant(offers, "TAKE", NOT_FENCED, KEY_SHARE, the_fenced_neither_offer_nor_take_nor_report),
    Mutant(offers, "OFFER", NOT_FENCED, KEY_SHARE, the_fenced_neither_offer_nor_take_nor_report),
    Mutant(offers, "FINISH", NOT_FENCED, KEY_SHARE, the_fenced_neither_offer_nor_take_nor_report),
    Mutant(offers, "TAKE", " and f.takes = 0", "", a_call_that_a_dead_pool_ran_is_its_owners_alone),
    Mutant(offers, "TAKE", " and f.owner <> $1", "", nobody_takes_what_it_offers_itself),
    Mutant(offers, "TAKE_FOREIGN", " and f.owner <> $1", "", nobody_takes_what_it_offers_itself),
    Mutant(offers, "ADOPT", NOT_FENCED, KEY_SHARE, the_fenced_adopt_nothing),
    Mutant(
        offers,
        "MARK_ALONE",
        NOT_FENCED,
        KEY_SHARE,
        the_fenced_do_not_tell_that_a_call_runs_alone,
    ),
    Mutant(
        offers,
        "TAKE_FOREIGN",
        NOT_FENCED,
        KEY_SHARE,
        the_fenced_take_no_call_that_its_own_pool_cannot_run,
    ),
    Mutant(
        offers,
        "FINISH",
        _OF_THE_TAKER + "),\nstill",
        _OF_ANYBODY + "),\nstill",
        who_gave_a_call_back_does_not_finish_it_for_the_next,
    ),
    Mutant(
        offers,
        "FINISH",
        _OF_THE_TAKER + ")\ninsert",
        _OF_ANYBODY + ")\ninsert",
        who_gave_a_call_back_does_not_finish_it_for_the_next,
    ),
    Mutant(
        offers,
        "RELEASE",
        "o.taken_by is not null and",
        "false and",
        what_a_dead_or_vanished_taker_held_is_its_owners_again,
    ),
    Mutant(
        offers,
        "RELEASE",
        " where l.fenced\n",
        " where false\n",
        what_a_dead_or_vanished_taker_held_is_its_owners_again,
    ),
    Mutant(
        offers,
        "RELEASE",
        " where l.fenced\n",
        "\n",
        what_a_dead_or_vanished_taker_held_is_its_owners_again,
    ),
]


@pytest.mark.parametrize("scenario", scenarios(MUTANTS), ids=lambda scenario: scenario.__name__)
async def test_the_rule_holds(engine: Engine, scenario: Scenario) -> None:
    await scenario(engine)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
async def test_without_the_rule_its_scenario_fails(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, mutant: Mutant
) -> None:
    mutant.apply(monkeypatch)
    with pytest.raises(CAUGHT):
        await mutant.scenario(engine)
