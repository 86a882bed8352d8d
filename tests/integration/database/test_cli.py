"""The `waymark` command as people type it in; its first screen and exit code out."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import click
import pytest
from click.testing import CliRunner

from waymark_schema import cli
from waymark_schema.migrate import steps


@click.command
def greet() -> None:
    """Say hello."""
    click.echo("hello")


not_a_command = "a string"


def _invoke(*arguments: str, **environment: str | None) -> tuple[int, str]:
    group = cli.build([])
    cleared: dict[str, str | None] = {"WAYMARK_DATABASE_URL": None, "WAYMARK_SCHEMA": None}
    result = CliRunner().invoke(group, list(arguments), env=cleared | environment)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.mark.postgres
def test_up_applies_once_and_status_tells(empty_database_url: str) -> None:
    code, output = _invoke("migrate", "status", WAYMARK_DATABASE_URL=empty_database_url)
    assert (code, output.split()) == (1, ["PENDING", steps()[0].name, *_pending_rest()])
    code, output = _invoke("migrate", "up", WAYMARK_DATABASE_URL=empty_database_url)
    assert code == 0
    assert all(f"applied {step.name}" in output for step in steps())
    code, output = _invoke("migrate", "up", WAYMARK_DATABASE_URL=empty_database_url)
    assert (code, output.count("\n")) == (0, 1)
    code, output = _invoke("migrate", "status", WAYMARK_DATABASE_URL=empty_database_url)
    assert code == 0
    assert "PENDING" not in output
    code, output = _invoke("migrate", "contract", WAYMARK_DATABASE_URL=empty_database_url)
    assert (code, output.count("\n")) == (0, 1)


def _pending_rest() -> list[str]:
    return [word for step in steps()[1:] for word in ("PENDING", step.name)]


def test_dump_needs_no_database() -> None:
    code, output = _invoke("migrate", "dump", "--schema", "jobs")
    assert code == 0
    assert 'create table "jobs".instances' in output
    assert "{schema}" not in output
    code, output = _invoke("migrate", "dump", "--schema", "public")
    assert code == 2
    assert "not public" in output


@pytest.mark.parametrize(
    ("address", "first_line"),
    [
        (None, "waymark: WAYMARK_DATABASE_URL is not set"),
        ("mysql://a:hunter2@b/c", "waymark: WAYMARK_DATABASE_URL begins with 'mysql://'"),
        (
            "postgresql://a:hunter2@127.0.0.1:1/c",
            "waymark: cannot reach the database c on 127.0.0.1:1 as a",
        ),
    ],
)
def test_a_database_that_cannot_be_used_is_a_message_and_never_a_traceback(
    address: str | None, first_line: str
) -> None:
    code, output = _invoke(
        "migrate", "up", WAYMARK_DATABASE_URL=address, WAYMARK_DATABASE_WAIT_S="0"
    )
    assert code == 1
    assert output.startswith(first_line)
    assert "Traceback" not in output
    assert "hunter2" not in output
    assert output.count("\n") <= 5


def test_commands_of_other_distributions_join_and_broken_ones_only_warn() -> None:
    here = "tests.integration.database.test_cli"
    plugins = [
        EntryPoint("greet", f"{here}:greet", cli.PLUGINS),
        EntryPoint("broken", "no_such_module:command", cli.PLUGINS),
        EntryPoint("wrong", f"{here}:not_a_command", cli.PLUGINS),
    ]
    built: list[click.Group] = []

    @click.command
    def build() -> None:
        built.append(cli.build(plugins))

    warned = CliRunner().invoke(build, [])
    assert (
        "the command 'broken' of no_such_module:command cannot be loaded: ModuleNotFoundError"
        in warned.output
    )
    assert "expected a click command" in warned.output
    result = CliRunner().invoke(built[0], ["greet"])
    assert (result.exit_code, result.output) == (0, "hello\n")
    assert "migrate" in built[0].commands


def test_the_module_runs_as_the_command_does() -> None:
    asked = [sys.executable, "-m", "waymark_schema.cli", "migrate", "dump"]
    assert subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(("name", "home"), [("dev", "waymark-worker[dev]"), ("web", "waymark-web")])
def test_a_command_of_a_distribution_that_is_not_here_says_what_to_install(
    name: str, home: str
) -> None:
    told = CliRunner().invoke(cli.build([]), [name, "flows"])
    assert told.exit_code == 2
    assert f"`waymark {name}` is part of {home}, which is not installed here." in told.output
    completing = {
        "_WAYMARK_COMPLETE": "bash_complete",
        "COMP_WORDS": f"waymark {name} ",
        "COMP_CWORD": "2",
    }
    completed = CliRunner().invoke(cli.build([]), prog_name="waymark", env=completing)
    assert completed.exception is None or isinstance(completed.exception, SystemExit)
