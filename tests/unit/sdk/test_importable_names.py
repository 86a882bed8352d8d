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


FLOWS = """
import dataclasses, enum, multiprocessing
from collections import namedtuple
from pydantic import BaseModel
from waymark import Workflow, action, build_workflow_ir, workflow
from waymark.coercion.imports import find
from waymark.definitions import definition_of
from waymark_schema.values.faults import qualified

class OutOfStock(Exception):
    def __init__(self, left: int) -> None:
        super().__init__(f"{left} left")
        self.left = left

class Size(enum.Enum):
    SMALL = "small"

class Item(BaseModel):
    name: str
    size: Size = Size.SMALL

    def title(self) -> str:
        return self.name.title()

@dataclasses.dataclass
class Basket:
    items: list[Item]

Pair = namedtuple("Pair", "one other")

def shout(text: str) -> str:
    return text.upper()

@action
async def reserve(item: Item) -> Basket: ...

@workflow
class Buy(Workflow):
    version = "1"

    async def run(self, name: str) -> Basket:
        try:
            found = await reserve(Item(name=shout(name)))
        except OutOfStock as error:
            raise OutOfStock(error.left + 1) from error
        pair = Pair(found, Item(name=found.items[0].title(), size=Size.SMALL))
        return Basket([*pair.one.items, pair.other])

def tell() -> None:
    own = [find(f"flows:{each}") is globals()[each] for each in ("Item", "Basket", "Size", "OutOfStock")]
    print(definition_of(Buy).report().digest.hex(), reserve.__waymark_action__.key, qualified(OutOfStock), *own)

if __name__ == "__main__":
    tell()
    child = multiprocessing.get_context("spawn").Process(target=tell)
    child.start()
    child.join()
"""


def test_a_script_stands_for_the_module_that_workers_import(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text(FLOWS)
    imported = run(tmp_path, "-c", "import flows; flows.tell()")
    assert imported.split()[1:] == ["flows:reserve", "flows:OutOfStock", *["True"] * 4]
    # The second line is of a process that multiprocessing spawned: the script is its __mp_main__.
    assert run(tmp_path, "flows.py").splitlines() == [imported, imported]
    assert run(tmp_path, "-m", "flows").splitlines() == [imported, imported]


PACKAGE = """
from waymark import action
from waymark_schema.values.faults import qualified

class Broken(Exception): ...

@action
async def work(): ...

if __name__ == "__main__":
    print(work.__waymark_action__.key, qualified(Broken))
"""


def test_a_package_that_is_run_is_named_after_its_main_module(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__main__.py").write_text(PACKAGE)
    assert run(tmp_path, "-m", "flows") == "flows.__main__:work flows.__main__:Broken"
