"""The page of all environment variables in; names that it lacks and defaults that it has wrong out."""

from __future__ import annotations

import re

import pytest
from pydantic_settings import BaseSettings

from tests.support.checkout import ROOT
from waymark.settings import Settings
from waymark_schema import environment
from waymark_web.settings import WebSettings
from waymark_worker import cli
from waymark_worker.settings import PoolSettings

PAGE = (ROOT / "docs" / "reference" / "configuration.md").read_text()
_ROW = re.compile(r"^\| `(WAYMARK_\w+)` \| ([^|]+) \| ", re.MULTILINE)
ROWS = dict(_ROW.findall(PAGE.partition("## Not read yet")[0]))
UNSET = "unset"
DECIDED_AT_START = {
    "WAYMARK_DATABASE_URL",
    "WAYMARK_USER_MODULE",
    "WAYMARK_WORKER_COUNT",
    "WAYMARK_EXECUTOR_SHARDS",
    "WAYMARK_RUNTIME_DIR",
}
"""The page says in words what they are when they are unset."""


def test_every_variable_for_people_has_one_row_and_no_other_has() -> None:
    named = re.findall(r"^\| `(WAYMARK_\w+)` ", PAGE, re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == environment.FOR_PEOPLE


def test_what_has_no_effect_is_named_as_such() -> None:
    later = re.findall(r"^\| `(WAYMARK_\w+)` ", PAGE.partition("## Not read yet")[2], re.MULTILINE)
    assert set(later) == environment.UNFINISHED_VARIABLES


def _defaults(settings: type[BaseSettings]) -> dict[str, object]:
    return {
        str(declared.validation_alias or environment.PREFIX + name.upper()): declared.default
        for name, declared in settings.model_fields.items()
    }


@pytest.mark.parametrize("settings", [Settings, PoolSettings, WebSettings])
def test_defaults_are_those_of_the_code(settings: type[BaseSettings]) -> None:
    wrong = {
        variable: (ROWS[variable].strip(), default)
        for variable, default in _defaults(settings).items()
        if variable not in DECIDED_AT_START and not _says(ROWS[variable].strip(), default)
    }
    # 0 stands for "as the lease allows", which is this with the lease's own default.
    assert PoolSettings().lock_heartbeat_ms == 5_000
    wrong.pop("WAYMARK_LOCK_HEARTBEAT_MS", None)
    assert wrong == {}


def _says(written: str, default: object) -> bool:
    if default is None:
        return written == UNSET
    if isinstance(default, bool):
        return written == f"`{str(default).lower()}`"
    if isinstance(default, float):
        return written == f"`{default:g}`"
    return written == f"`{default}`"


def test_the_help_of_a_pool_names_what_the_page_lists_for_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["waymark-start-workers", "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr().out
    listed = _ROW.findall(PAGE.partition("## Everywhere")[2].partition("## The web")[0])
    missing = [variable for variable, _ in listed if f"{variable}:" not in said]
    assert missing == []
    assert "milliseconds from 0 to 60000 [0]" in said, "a default of 0 is one"


def test_two_distributions_agree_on_what_they_both_read() -> None:
    ours, pools = _defaults(Settings), _defaults(PoolSettings)
    shared = ours.keys() & pools.keys() - DECIDED_AT_START
    assert {name: ours[name] for name in shared} == {name: pools[name] for name in shared}
