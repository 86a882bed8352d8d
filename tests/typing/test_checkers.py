"""Code of users in; that mypy and basedpyright find the same types, and the same mistakes at the same lines, out."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
_EXPECTED = re.compile(r"# E: mypy=(\S+) pyright=(\S+)$")
Findings = dict[int, set[str]]


def expected(case: str, checker: int) -> Findings:
    """Codes by line, as the case says them; ``checker`` is 1 for mypy, 2 for basedpyright."""
    found = {}
    for number, line in enumerate((CASES / case).read_text().splitlines(), 1):
        match = _EXPECTED.search(line)
        if match:
            found[number] = set(match[checker].split(","))
    return found


def run(*command: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def said_by_mypy(case: str, folder: Path) -> tuple[Findings, str]:
    output = run(
        "mypy", "--strict", "--config-file=", "--show-error-codes", "--no-pretty",
        "--hide-error-context", "--python-executable", sys.executable, str(CASES / case),
        folder=folder,
    )  # fmt: skip
    found: Findings = {}
    for number, code in re.findall(r":(\d+): error: .*\[([\w-]+)\]$", output, re.MULTILINE):
        found.setdefault(int(number), set()).add(code)
    return found, output


def said_by_basedpyright(case: str, folder: Path) -> tuple[Findings, str]:
    settings = {"typeCheckingMode": "strict", "include": [str(CASES)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    output = run(
        "basedpyright", "--outputjson", "--pythonpath", sys.executable,
        "--project", str(folder), folder=folder,
    )  # fmt: skip
    found: Findings = {}
    said = json.loads(output)["generalDiagnostics"]
    for each in said:
        if Path(each["file"]).name == case and each["severity"] == "error":
            found.setdefault(each["range"]["start"]["line"] + 1, set()).add(each.get("rule", ""))
    texts = [f"{each['range']['start']['line'] + 1}: {each['message']}" for each in said]
    return found, "\n".join(texts)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", ["right.py", "wrong.py"])
def test_mypy_says_what_is_expected(case: str, tmp_path: Path) -> None:
    found, output = said_by_mypy(case, tmp_path)
    assert found == expected(case, 1), output


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", ["right.py", "wrong.py"])
def test_basedpyright_says_what_is_expected(case: str, tmp_path: Path) -> None:
    found, output = said_by_basedpyright(case, tmp_path)
    assert found == expected(case, 2), output


def test_the_wrong_case_expects_something() -> None:
    assert len(expected("wrong.py", 1)) > 25
    assert expected("right.py", 1) == {}
