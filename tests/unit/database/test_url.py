"""Addresses as people paste them in; connection parameters, or refusals without passwords, out."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from waymark_schema.database.url import parse_url
from waymark_schema.errors import DatabaseUrlError

SECRET = "hunter2"


@pytest.mark.parametrize(
    "scheme",
    [
        "postgres",
        "postgresql",
        "POSTGRESQL",
        "postgresql+psycopg",
        "postgresql+psycopg2",
        "postgresql+asyncpg",
        "postgres+psycopg_async",
    ],
)
def test_every_usual_scheme_means_the_same_database(scheme: str) -> None:
    url = parse_url(f"{scheme}://app:{SECRET}@db:6543/orders")
    assert dict(url.parameters) == {
        "host": "db",
        "port": "6543",
        "dbname": "orders",
        "user": "app",
        "password": SECRET,
    }


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://",
        "postgresql:///app",
        "postgresql://localhost",
        "postgresql://localhost/app",
        "postgresql://localhost:5433/app",
        "postgresql://app@localhost/app",
        "postgresql://a%40b:p%3Aq%2F%23@localhost/my%20app",
        "postgresql://app@%2Fvar%2Frun%2Fpostgresql/app",
        "postgresql:///app?host=/var/run/postgresql&port=5433",
        "postgresql://app@[2001:db8::1]:5433/app",
        "postgresql://one:1111,two:2222/app?target_session_attrs=any",
        "postgresql://one:1111,two:1111/app",
        "postgresql://h/app?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgresql://h/app?connect_timeout=3&application_name=x%20y",
        "postgresql://h/app?options=-c%20search_path%3Da",
        "host=db dbname=app user=app",
        "host=db password='two words' user='it\\'s'",
        "host = /tmp dbname = app",
    ],
)
def test_an_address_means_what_libpq_says_it_means(address: str) -> None:
    ours = dict(parse_url(address).parameters)
    theirs = {key: value for key, value in conninfo_to_dict(address).items() if value}
    if "port" in ours:
        theirs.setdefault("port", ours["port"])
    one_port = set(str(theirs.get("port", "")).split(","))
    if len(one_port) == 1 and "port" in theirs:
        theirs["port"] = one_port.pop()
    assert ours == theirs


printable = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1)


@given(printable, printable, printable)
def test_escaped_names_and_passwords_of_any_text_are_kept(
    user: str, password: str, name: str
) -> None:
    escaped = "postgresql://{}:{}@db/{}".format(
        *(quote(part, safe="") for part in (user, password, name))
    )
    url = parse_url(escaped)
    assert url.parameters["user"] == user
    assert url.parameters["password"] == password
    assert url.parameters["dbname"] == name


def test_the_word_for_tls_of_asyncpg_is_translated() -> None:
    assert parse_url("postgresql+asyncpg://h/app?ssl=require").parameters["sslmode"] == "require"
    assert parse_url("postgresql+asyncpg://h/app?ssl=true").parameters["sslmode"] == "require"
    assert (
        parse_url("postgresql+asyncpg://h/app?ssl=verify-ca").parameters["sslmode"] == "verify-ca"
    )


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        (f"mysql://app:{SECRET}@db/app", "Use postgresql://"),
        (f"sqlite:///{SECRET}.db", "Use postgresql://"),
        (f"postgresql+pg8000://app:{SECRET}@db/app", "postgresql://app:***@db/app"),
        (f"postgresql://app:{SECRET}@db@elsewhere/app", "write % as %25"),
        (f"postgresql://app:x/{SECRET}@db/app", "write % as %25"),
        (f"postgresql://app:{SECRET}#@db/app", "write % as %25"),
        (f"postgresql://app:{SECRET}%@db/app", "write % as %25"),
        (f"postgresql://app:{SECRET}@db:99999/app", "from 1 to 65535"),
        (f"postgresql://app:{SECRET}@db:port/app", "from 1 to 65535"),
        (f"postgresql://app:{SECRET}@db/app?nonsense=1", "Leave it out"),
        (f"postgresql://app:{SECRET}@db/app?host=other", "Several hosts are written"),
        (f"postgresql://app:{SECRET}@/app?host=db:5433", "before the question mark"),
        (f"postgresql://app:{SECRET}@db/app%00", "take it out"),
        (f"db {SECRET}", "Use postgresql://"),
        (f"host=db password='{SECRET}", "Quote values with spaces"),
        (f"nonsense={SECRET}", "Leave it out"),
        ("localhost:5432/app", "Use postgresql://"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_right_string_and_no_password(
    address: str, advice: str
) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        parse_url(address)
    assert advice in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.variable == "WAYMARK_DATABASE_URL"


def test_a_password_never_shows() -> None:
    url = parse_url(f"postgresql://app:{SECRET}@db/app?sslpassword={SECRET}")
    assert SECRET not in repr(url) + str(url) + url.target + "".join(url.identity)


def test_the_target_reads_as_a_person_would_say_it() -> None:
    assert (
        parse_url("postgresql://app@one:1,two:2/orders").target == "orders on one:1, two:2 as app"
    )
    assert (
        parse_url("postgresql://app@one,two/orders").target == "orders on one:5432, two:5432 as app"
    )
    assert parse_url("postgresql:///orders").target == "orders on the local socket, port 5432"
