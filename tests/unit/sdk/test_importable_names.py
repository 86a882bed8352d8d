"""Scripts that define actions in __main__ in; the names workers import them by, or refusals, out."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
from waymark.actions import action

@action
async def work(): ...

if __name__ == "__main__":
    print(work.__waymark_action__.key)
"""


def run(cwd: Path, *arguments: str, path: str = "", stdin: str = "") -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        input=stdin,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    return (done.stdout + done.stderr).strip()


def test_a_script_is_named_from_the_directory_that_the_pool_starts_in(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text(SCRIPT)
    assert run(tmp_path, "app/main.py") == "app.main:work"
    assert run(tmp_path / "app", "main.py") == "main:work"
    assert run(tmp_path, "-m", "app.main") == "app.main:work"


def test_an_import_root_wins_over_the_directory(tmp_path: Path) -> None:
    package = tmp_path / "src" / "shop"
    package.mkdir(parents=True)
    (package / "tasks.py").write_text(SCRIPT)
    assert run(tmp_path, "src/shop/tasks.py", path=str(tmp_path / "src")) == "shop.tasks:work"


def test_a_script_with_a_name_that_cannot_be_imported_must_move(tmp_path: Path) -> None:
    (tmp_path / "my-script.py").write_text(SCRIPT)
    last = run(tmp_path, "my-script.py").splitlines()[-1]
    assert last.startswith("TypeError: action 'work' is defined in __main__")
    assert "Move it to one" in last


def test_what_is_typed_in_must_move(tmp_path: Path) -> None:
    assert "is defined in __main__" in run(tmp_path, "-", stdin=SCRIPT)
