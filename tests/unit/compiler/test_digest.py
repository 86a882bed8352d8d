from pathlib import Path

import pytest

from tests.support.compiling import compiled, imported, run_text, workflow_of
from waymark.compiler.pipeline import compile_workflow

BODY = "a = 1\nb = [a, 2]\nreturn b"
SAME = {
    "a comment": "a = 1  # one\n# and two\nb = [a, 2]\nreturn b",
    "an empty line": "a = 1\n\n\nb = [a, 2]\nreturn b",
    "parentheses": "a = (1)\nb = [(a), 2]\nreturn (b)",
    "a line break": "a = 1\nb = [\n    a,\n    2,\n]\nreturn b",
    "a docstring": '"""What it does."""\na = 1\nb = [a, 2]\nreturn b',
    "an annotation": "a: int = 1\nb: list[int] = [a, 2]\nreturn b",
    "a spelling of a number": "a = 0x1\nb = [a, 0b10]\nreturn b",
}
DIFFERENT = {
    "a constant": "a = 1\nb = [a, 3]\nreturn b",
    "its type": "a = True\nb = [a, 2]\nreturn b",
    "its sign": "a = 1\nb = [a, -2]\nreturn b",
    "the order": "a = 1\nb = [2, a]\nreturn b",
    "a name": "c = 1\nb = [c, 2]\nreturn b",
}


def digest_of(folder: Path, body: str) -> bytes:
    folder.mkdir()
    module = imported(folder, run_text(body), name="same_module_name")
    return compile_workflow(workflow_of(module)).digest


@pytest.mark.parametrize("what", SAME)
def test_the_digest_is_blind_to(tmp_path: Path, what: str) -> None:
    assert digest_of(tmp_path / "a", SAME[what]) == digest_of(tmp_path / "b", BODY)


@pytest.mark.parametrize("what", DIFFERENT)
def test_the_digest_sees(tmp_path: Path, what: str) -> None:
    assert digest_of(tmp_path / "a", DIFFERENT[what]) != digest_of(tmp_path / "b", BODY)


def test_texts_of_an_f_string_are_one_however_they_are_split(tmp_path: Path) -> None:
    one = compiled(tmp_path, 'x = 1\nreturn f"a{x}bc"').program.functions[0]
    two = compiled(tmp_path, 'x = 1\nreturn "a" f"{x}b" "c" f""').program.functions[0]
    assert one.blocks == two.blocks


def test_a_captured_value_is_part_of_the_digest(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    digests = {
        compile_workflow(
            workflow_of(
                imported(
                    tmp_path / name,
                    run_text("return LIMIT", before=f"LIMIT = {value}"),
                    name="captures",
                )
            )
        ).digest
        for name, value in (("a", 1), ("b", 2))
    }
    assert len(digests) == 2
