"""`./dev` on pretended machines in; which Python and uv it takes, what it says and leaves, out."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

# What the script itself may use of a machine: no Python and no uv among them.
_TOOLS = [
    "cat", "cut", "dirname", "env", "grep", "head", "ls", "mkdir", "mv", "rm", "sed", "sh", "sort",
    "tail", "tee",
]  # fmt: skip

_FAKE_UV = """#!/bin/sh
[ "$1" != --version ] || {{ echo "{version}"; exit {status}; }}
{{ echo "$@"; env | grep ^UV_ | sort; }} >>"{record}"
[ "$1" != sync ] || exit {sync_status}
"""


@dataclass
class Machine:
    """A folder of commands, a home, and a checkout that holds what `./dev` reads."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in (self.bin, self.home, self.checkout):
            folder.mkdir(parents=True)
        for tool in _TOOLS:
            found = shutil.which(tool)
            assert found is not None, tool
            (self.bin / tool).symlink_to(found)
        for name in ("dev", "uv.lock"):
            shutil.copy(ROOT / name, self.checkout)

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def checkout(self) -> Path:
        return self.root / "checkout"

    @property
    def record(self) -> Path:
        return self.root / "uv-was-called"

    def command(self, path: Path, script: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def python(self, path: Path, version: str, *, venv: str = "venv", prefix: str = "/usr") -> None:
        """Pretend an interpreter: it answers the one question that the script asks."""
        minor = ".".join(version.split(".")[:2])
        if int(minor.split(".")[1]) < 11:
            answer = f'case "$2" in *ensurepip*) exit 3;; *) echo {version};; esac'
        else:
            answer = f'[ "$1" = -c ] && echo "{minor} {venv} {prefix} {path}"'
        self.command(path, f"#!/bin/sh\n{answer}\n")

    def uv(
        self, version: str = "uv 0.9.1 (abc 2026-01-01)", status: int = 0, sync_status: int = 0
    ) -> None:
        script = _FAKE_UV.format(
            version=version, status=status, record=self.record, sync_status=sync_status
        )
        self.command(self.bin / "uv", script)

    def dev(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "HOME": str(self.home)} | self.variables
        return subprocess.run(
            ["./dev", *arguments],
            cwd=self.checkout, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def calls(self) -> list[str]:
        return [line for line in self.record.read_text().splitlines() if not line.startswith("UV_")]

    def uv_variables(self) -> dict[str, str]:
        lines = [line for line in self.record.read_text().splitlines() if line.startswith("UV_")]
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_any_python_it_says_what_is_needed(machine: Machine) -> None:
    done = machine.dev("setup")
    assert done.returncode == 1
    assert done.stderr.startswith("dev: no Python found.\n")
    assert "3.11 or newer" in done.stderr


def test_a_python_that_is_too_old_is_named_with_its_version(machine: Machine) -> None:
    machine.python(machine.bin / "python3", "3.9.2")
    done = machine.dev("setup")
    assert done.returncode == 1
    assert f"Python is too old: {machine.bin}/python3 is 3.9.2." in done.stderr


def test_without_uv_and_without_venv_it_says_how_to_get_either(machine: Machine) -> None:
    machine.python(machine.bin / "python3", "3.12.1", venv="no-venv")
    done = machine.dev("setup")
    assert done.returncode == 1
    assert "has no venv module" in done.stderr
    assert "apt-get install python3-venv" in done.stderr


@pytest.mark.parametrize(
    ("version", "status"), [("uv 0.4.30", 0), ("pyenv: uv: command not found", 127), ("", 0)]
)
def test_a_uv_that_is_old_or_does_not_run_is_not_used(
    machine: Machine, version: str, status: int
) -> None:
    machine.uv(version, status)
    done = machine.dev("setup")
    assert "no Python found" in done.stderr, "it went on to install its own"
    assert not machine.record.exists()


@pytest.mark.parametrize("version", ["uv 0.5.0", "uv 0.13.9 (x86_64)", "uv 1.2.3"])
def test_a_uv_that_works_is_used_and_nothing_is_installed(machine: Machine, version: str) -> None:
    machine.uv(version)
    machine.python(machine.bin / "python3", "3.12.1", venv="no-venv")
    done = machine.dev("setup")
    assert done.returncode == 0, done.stderr
    assert machine.calls() == [f"sync --frozen --quiet --python {machine.bin}/python3"]
    assert sorted(path.name for path in (machine.checkout / ".dev").iterdir()) == [".gitignore"]
    assert (machine.checkout / ".dev" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (["3.11.9", "3.12.3", "3.12.10", "3.13.1"], "3.12.10"),
        (["3.11.9", "3.13.1", "3.13.0"], "3.13.1"),
        (["3.11.9", "3.10.1"], "3.11.9"),
        (["3.14.0"], "3.14.0"),
    ],
)
def test_under_a_pyenv_root_it_prefers_312_then_313_then_311(
    machine: Machine, present: list[str], chosen: str
) -> None:
    machine.uv()
    pyenv = machine.root / "pyenv"
    for version in present:
        prefix = pyenv / "versions" / version
        machine.python(prefix / "bin" / "python", version, prefix=str(prefix))
    machine.variables["PYENV_ROOT"] = str(pyenv)
    done = machine.dev("setup")
    assert done.returncode == 0, done.stderr
    assert machine.calls() == [
        f"sync --frozen --quiet --python {pyenv}/versions/{chosen}/bin/python"
    ]


def test_a_pyenv_root_is_found_behind_a_shim_and_behind_a_link(machine: Machine) -> None:
    machine.uv()
    pyenv = machine.root / "pyenv"
    for version in ("3.11.9", "3.12.3"):
        prefix = pyenv / "versions" / version
        machine.python(prefix / "bin" / "python", version, prefix=str(prefix))
    (pyenv / "shims").mkdir()
    (machine.bin / "python").symlink_to(pyenv / "versions" / "3.11.9" / "bin" / "python")
    assert machine.dev("setup").returncode == 0
    (machine.bin / "python").rename(pyenv / "shims" / "python")
    machine.variables["PATH"] = f"{pyenv}/shims:{machine.bin}"
    assert machine.dev("setup").returncode == 0
    wanted = f"sync --frozen --quiet --python {pyenv}/versions/3.12.3/bin/python"
    assert machine.calls() == [wanted, wanted]


def test_a_python_on_path_may_be_newer_than_all_preferred_ones(machine: Machine) -> None:
    machine.uv()
    machine.python(machine.bin / "python3", "3.14.2")
    assert machine.dev("setup").returncode == 0
    assert machine.calls() == [f"sync --frozen --quiet --python {machine.bin}/python3"]


def test_the_users_own_choice_is_honoured_once_and_not_passed_on(machine: Machine) -> None:
    machine.uv()
    machine.python(machine.bin / "python3", "3.12.1")
    machine.variables["UV_PYTHON"] = "3.13"
    assert machine.dev("run", "true").returncode == 0
    assert machine.calls()[0] == "sync --frozen --quiet --python 3.13"
    assert "UV_PYTHON" not in machine.uv_variables()


def test_no_python_is_ever_downloaded(machine: Machine) -> None:
    machine.uv()
    machine.python(machine.bin / "python3", "3.12.1")
    machine.variables["UV_PYTHON_DOWNLOADS"] = "automatic"
    machine.dev("setup")
    assert machine.uv_variables()["UV_PYTHON_DOWNLOADS"] == "never"


def test_without_a_home_the_cache_stays_in_the_checkout(machine: Machine) -> None:
    machine.uv()
    machine.python(machine.bin / "python3", "3.12.1")
    machine.variables["HOME"] = str(machine.root / "nowhere")
    machine.dev("setup")
    assert machine.uv_variables()["UV_CACHE_DIR"] == str(machine.checkout / ".dev" / "cache")


def test_with_a_home_the_cache_is_where_uv_keeps_it(machine: Machine) -> None:
    machine.uv()
    machine.python(machine.bin / "python3", "3.12.1")
    machine.dev("setup")
    assert "UV_CACHE_DIR" not in machine.uv_variables()
    assert list(machine.home.iterdir()) == []


def test_what_it_does_not_know_goes_to_uv_run_word_by_word(machine: Machine) -> None:
    machine.uv()
    machine.python(machine.bin / "python3", "3.12.1")
    machine.dev("nox", "-s", "lint")
    machine.dev("run", "--with", "x", "python", "-c", "print(1, 2)")
    run = f"run --project {machine.checkout} --no-sync"
    assert machine.calls()[1::2] == [f"{run} nox -s lint", f"{run} --with x python -c print(1, 2)"]


def test_when_uv_fails_it_says_what_to_look_at(machine: Machine) -> None:
    machine.uv(sync_status=2)
    machine.python(machine.bin / "python3", "3.12.1")
    done = machine.dev("run", "true")
    assert done.returncode == 1
    assert "uv could not prepare the environment" in done.stderr
    assert len(machine.calls()) == 1, "and it runs nothing"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_checkout_that_cannot_be_written_is_said_so(machine: Machine) -> None:
    machine.checkout.chmod(0o555)
    try:
        done = machine.dev("setup")
    finally:
        machine.checkout.chmod(0o755)
    assert done.returncode == 1
    assert f"cannot write to {machine.checkout}" in done.stderr


def _pretend_tools(machine: Machine, *, failing: set[str]) -> None:
    machine.uv()
    scripts = machine.checkout / ".venv" / "bin"
    machine.python(scripts / "python", "3.12.1")
    for tool in ("ruff", "mypy", "lint-imports"):
        machine.command(
            scripts / tool, f"#!/bin/sh\necho {tool} ran\nexit {int(tool in failing)}\n"
        )
    machine.command(
        scripts / "pytest",
        f'#!/bin/sh\necho "pytest $*"\necho "== 3 passed in 0.10s =="\nexit {int("pytest" in failing)}\n',
    )


def test_the_closing_line_of_pytest_is_the_last_line_of_dev_test(machine: Machine) -> None:
    _pretend_tools(machine, failing=set())
    done = machine.dev("test")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "== 3 passed in 0.10s =="
    assert "pytest -n 3 -m not slow and not chaos" in done.stdout


@pytest.mark.parametrize("failing", ["ruff", "mypy", "lint-imports"])
def test_a_failing_check_does_not_keep_the_tests_from_running(
    machine: Machine, failing: str
) -> None:
    _pretend_tools(machine, failing={failing})
    done = machine.dev("test")
    assert done.returncode == 1
    assert all(f"{tool} ran" in done.stdout for tool in ("ruff", "mypy", "lint-imports"))
    *_, summary, closing = done.stdout.splitlines()
    assert summary.startswith("Failed before the tests: ")
    assert closing == "== 3 passed in 0.10s =="


def test_failing_tests_fail_the_command(machine: Machine) -> None:
    _pretend_tools(machine, failing={"pytest"})
    assert machine.dev("test").returncode == 1


def test_arguments_select_tests_and_leave_out_the_other_checks(machine: Machine) -> None:
    _pretend_tools(machine, failing={"ruff"})
    for arguments in (["tests/unit", "-q"], ["--", "tests/unit", "-q"]):
        done = machine.dev("test", *arguments)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == "pytest tests/unit -q"
