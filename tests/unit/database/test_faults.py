"""Errors of the driver in; decisions out."""

import psycopg
import pytest
from psycopg import errors

from waymark_schema.database.faults import Fault, classify, refused_for_good


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ("25006", Fault.LOST),
        ("57P01", Fault.LOST),
        ("57P02", Fault.LOST),
        ("57P03", Fault.LOST),
        ("08006", Fault.LOST),
        ("40001", Fault.TRANSIENT),
        ("40P01", Fault.TRANSIENT),
        ("53100", Fault.TRANSIENT),
        ("53300", Fault.TRANSIENT),
        ("55P03", Fault.TRANSIENT),
        ("57014", Fault.TRANSIENT),
        ("22021", Fault.DATA),
        ("23505", Fault.DATA),
        ("23514", Fault.DATA),
        ("54000", Fault.DATA),
        ("28P01", Fault.FATAL),
        ("3D000", Fault.FATAL),
        ("42501", Fault.FATAL),
        ("42P01", Fault.FATAL),
    ],
)
def test_a_state_means_one_decision(state: str, fault: Fault) -> None:
    assert classify(errors.lookup(state)("it said no")) is fault


def test_errors_without_a_state_are_the_clients_own() -> None:
    assert classify(psycopg.OperationalError("the connection is lost")) is Fault.LOST
    assert classify(psycopg.InterfaceError("the connection is closed")) is Fault.LOST
    assert classify(psycopg.DataError("cannot dump")) is Fault.DATA
    assert classify(ConnectionResetError()) is Fault.LOST
    assert classify(ValueError("ours")) is Fault.FATAL


def test_only_what_time_cannot_heal_is_refused_for_good() -> None:
    assert refused_for_good(
        psycopg.OperationalError('FATAL: password authentication failed for user "a"')
    )
    assert refused_for_good(psycopg.OperationalError('FATAL: database "x" does not exist'))
    assert not refused_for_good(psycopg.OperationalError("Connection refused"))
    assert not refused_for_good(psycopg.OperationalError("the database system is starting up"))
    assert not refused_for_good(psycopg.OperationalError("FATAL: sorry, too many clients already"))
