"""The sessions of Waymark: `nox` for the everyday ones, `nox --list` for all, `nox -s NAME` for one."""

import os
import secrets
import shutil
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "types", "layers", "unit"]
nox.options.reuse_venv = "yes"

PYTHONS = ["3.11", "3.12", "3.13"]
SERVERS = ["14", "15", "16", "17", "18"]
DISTRIBUTIONS = {
    "waymark-schema": "waymark_schema",
    "waymark-sdk": "waymark",
    "waymark-worker": "waymark_worker",
    "waymark-web": "waymark_web",
}
ROOT = Path(__file__).parent

os.environ["UV_PYTHON_DOWNLOADS"] = "never"
# Set, it would send `uv pip install` of every session into that interpreter.
os.environ.pop("UV_PYTHON", None)


def _sync(session: nox.Session) -> None:
    """Install the locked environment into the session's own."""
    session.run_install(
        "uv",
        "sync",
        "--frozen",
        "--quiet",
        f"--python={session.virtualenv.location}",
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
    )


def _pytest(
    session: nox.Session, folder: str, *options: str, env: dict[str, str] | None = None
) -> None:
    """Run the tests of one folder; what follows `--` is added."""
    if not folder.endswith(".py") and not any((ROOT / folder).rglob("test_*.py")):
        session.skip(f"{folder} has no tests yet")
    _sync(session)
    session.run("pytest", folder, *options, *session.posargs, env=env)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    _sync(session)
    session.run("ruff", "check", *(session.posargs or ["."]))
    session.run("ruff", "format", "--check", *(session.posargs or ["."]))


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict, over code and tests."""
    _sync(session)
    session.run("mypy", *session.posargs)


@nox.session
def layers(session: nox.Session) -> None:
    """import-linter: who may import whom; and the tests that guard the shape of the workspace."""
    _sync(session)
    session.run("lint-imports", "--no-cache", "--no-logo")
    session.run("pytest", "-q", "tests/architecture", "-m", "not slow")


@nox.session(python=PYTHONS)
def unit(session: nox.Session) -> None:
    """Tests without I/O."""
    _pytest(session, "tests/unit", "-n2")


@nox.session(python=PYTHONS)
def language(session: nox.Session) -> None:
    """The workflow language against its oracle, CPython."""
    _pytest(session, "tests/language", "-n2")


@nox.session
def fuzz(session: nox.Session) -> None:
    """20,000 random workflows against CPython, and every planted miscompile found; prints its seed."""
    chosen = os.environ.get("WAYMARK_FUZZ_SEED", str(secrets.randbelow(10**9)))
    session.log(f"seed {chosen}; repeat with WAYMARK_FUZZ_SEED={chosen} nox -s fuzz")
    programs = os.environ.get("WAYMARK_FUZZ_PROGRAMS", "20000")
    env = {"WAYMARK_FUZZ_PROGRAMS": programs, "WAYMARK_FUZZ_SEED": chosen}
    _pytest(session, "tests/language/test_fuzzing.py", "-n2", "-v", env=env)


@nox.session
@nox.parametrize("postgres", ["embedded", *SERVERS])
def integration(session: nox.Session, postgres: str) -> None:
    """Tests on a real server: the embedded one, and each major that we support."""
    env = None
    if postgres != "embedded":
        found = session.run(
            str(ROOT / ".ci" / "postgres"), postgres, external=True, silent=True, stderr=None
        )
        env = {"WAYMARK_TEST_PG_BIN": str(found).strip().splitlines()[-1]}
    _pytest(session, "tests/integration", "-n2", "-m", "not chaos", env=env)


@nox.session(python=PYTHONS)
def acceptance(session: nox.Session) -> None:
    """The shipped commands as a black box, kill -9 included."""
    _pytest(session, "tests/acceptance", "-n2", "-m", "not chaos")


@nox.session
def slow(session: nox.Session) -> None:
    """What `./dev test` leaves out because it takes longer than a few seconds, faults in loops excepted."""
    _pytest(session, "tests", "-n2", "-m", "slow and not chaos")


@nox.session
def browser(session: nox.Session) -> None:
    """The web application in a real Chromium."""
    _pytest(session, "tests/browser")


@nox.session
def chaos(session: nox.Session) -> None:
    """Seeded faults under load, `-- --minutes N --seed S`; without arguments the longer tests of them."""
    if not session.posargs:
        _pytest(session, "tests", "-m", "chaos", "--timeout=3600")
        return
    _sync(session)
    session.run("python", "-m", "tests.chaos", *session.posargs)


@nox.session
def migration(session: nox.Session) -> None:
    """A migrated database equals the declared schema; recorded history is refused when edited."""
    _pytest(session, "tests/migration")


@nox.session
def versions(session: nox.Session) -> None:
    """Wheels of before the last migration, program format and protocol beside today's, on one database."""
    _pytest(session, "tests/versions")


@nox.session
def typing(session: nox.Session) -> None:
    """What a type checker says about users' code."""
    _pytest(session, "tests/typing")


@nox.session
def docs(session: nox.Session) -> None:
    """Links and code blocks of every page."""
    _pytest(session, "tests/docs")


@nox.session
def demo(session: nox.Session) -> None:
    """The demo of the README."""
    _sync(session)
    session.run("python", "apps/welcome/demo", *session.posargs)


@nox.session
def install(session: nox.Session) -> None:
    """Each distribution alone in a clean environment, from its wheel; and the steps of the image."""
    dist = _folder(session) / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run_install(
        "uv", "build", "--quiet", "--all-packages", "--wheel", f"--out-dir={dist}", external=True
    )
    wheels = {_metadata(wheel)["Name"]: wheel for wheel in dist.glob("*.whl")}
    for name, package in DISTRIBUTIONS.items():
        _import_alone(session, name, package, wheels)
    _sync(session)
    session.run("pytest", "-q", "tests/architecture", "-m", "slow")


def _folder(session: nox.Session) -> Path:
    """Return the session's own folder, absolute: parts of it run from elsewhere."""
    return Path(session.virtualenv.location).resolve() / "wheels"


def _metadata(wheel: Path) -> dict[str, str]:
    """Read a wheel's name and, joined by newlines, what it requires without any extra."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        message = Parser().parsestr(archive.read(name).decode())
    required = [line for line in message.get_all("Requires-Dist", []) if "extra ==" not in line]
    return {"Name": message["Name"], "Requires": "\n".join(required)}


def _with_siblings(name: str, wheels: dict[str, Path]) -> set[str]:
    """Return a distribution and, through all steps, the siblings that its wheel declares."""
    found = {name}
    for line in _metadata(wheels[name])["Requires"].splitlines():
        sibling = line.split("=")[0].split(">")[0].strip()
        if sibling in DISTRIBUTIONS:
            found |= _with_siblings(sibling, wheels)
    return found


def _import_alone(session: nox.Session, name: str, package: str, wheels: dict[str, Path]) -> None:
    """Install one wheel with the siblings it declares, nothing else of ours, and import all of it."""
    home = _folder(session) / name
    shutil.rmtree(home, ignore_errors=True)
    base = f"{session.virtualenv.bin}/python"
    session.run_install("uv", "venv", "--quiet", f"--python={base}", str(home), external=True)
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    declared = _with_siblings(name, wheels)
    session.run_install(
        "uv",
        "pip",
        "install",
        "--quiet",
        f"--python={python}",
        *(str(wheels[sibling]) for sibling in sorted(declared)),
        external=True,
    )
    check = ROOT / "tests" / "support" / "import_everything.py"
    strangers = [other for sibling, other in DISTRIBUTIONS.items() if sibling not in declared]
    # Isolated and from elsewhere, so that nothing of the checkout can help.
    with session.chdir(home):
        session.run(str(python), "-I", str(check), package, *strangers, external=True)
        for script in _scripts(name):
            if not (python.parent / script).exists():
                session.error(f"{name} installed no {script}")


def _scripts(name: str) -> list[str]:
    project = tomllib.loads((ROOT / "packages" / name / "pyproject.toml").read_text())["project"]
    return list(project.get("scripts", {}))
