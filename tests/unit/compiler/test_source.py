import importlib
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.compiling import HEADER, imported, problems, run_text, workflow_of
from waymark.compiler.pipeline import compile_workflow
from waymark.compiler.source import current_reader, shared_sources


def test_an_edited_file_is_refused(tmp_path: Path) -> None:
    module = imported(tmp_path, run_text("return 1"))
    path = Path(str(module.__file__))
    path.write_text(path.read_text().replace("return 1", "return 2"))
    (one,) = problems(workflow_of(module))
    assert one.code == "WM131"
    assert "restart" in one.recommendation


def test_a_file_that_no_longer_parses_is_refused(tmp_path: Path) -> None:
    module = imported(tmp_path, run_text("return 1"))
    Path(str(module.__file__)).write_text("def (")
    assert [one.code for one in problems(workflow_of(module))] == ["WM131"]


def test_an_edit_elsewhere_in_the_file_does_not_matter(tmp_path: Path) -> None:
    module = imported(tmp_path, run_text("return 1"))
    path = Path(str(module.__file__))
    path.write_text(
        "# a new first line\n\n" + path.read_text().replace("return 1", "return 1  # why")
    )
    compiled = compile_workflow(workflow_of(module))
    run = compiled.spans.spans[0][0][-1]
    line = path.read_text().splitlines()[run.line - 1]
    assert line[run.column : run.end_column] == "return 1"


def test_a_constant_that_differs_only_in_type_or_sign_is_an_edit(tmp_path: Path) -> None:
    for before, after in (("1", "True"), ("0.0", "-0.0"), ("1", "1.0"), ("(1, 2)", "(1, 2.0)")):
        module = imported(tmp_path, run_text(f"return {before}"))
        path = Path(str(module.__file__))
        path.write_text(path.read_text().replace(f"return {before}", f"return {after}"))
        assert [one.code for one in problems(workflow_of(module))] == ["WM131"], (before, after)


def test_a_class_from_a_string_has_no_source() -> None:
    names = {"__name__": "typed_in"}
    module = type(sys)("typed_in")
    sys.modules["typed_in"] = module
    exec(compile(run_text("return 1").replace("class W", "class Typed"), "<string>", "exec"), names)
    (one,) = problems(names["Typed"])
    assert one.code == "WM130"
    assert one.recommendation


def test_bytecode_without_its_file_has_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "only_bytecode.py"
    source.write_text(run_text("return 1").replace("class W", "class OnlyBytecode"))
    py_compile.compile(str(source), cfile=str(tmp_path / "only_bytecode.pyc"))
    source.unlink()
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("only_bytecode")
    assert [one.code for one in problems(module.OnlyBytecode)] == ["WM130"]


def test_a_prompt_has_no_source() -> None:
    program = (
        HEADER.replace("@action", "@action(name='typed')")
        + "@workflow\nclass W(Workflow):\n    async def run(self):\n        return 1\n\n"
        + "from waymark import build_workflow_ir\nbuild_workflow_ir(W)\n"
    )
    without_action = "\n".join(
        line for line in program.splitlines() if "act" not in line and "return x" not in line
    ).replace("from waymark import Workflow, action, workflow", "")
    text = "from waymark import Workflow, workflow\n" + without_action
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "WM130" in done.stderr


def test_windows_line_ends_give_the_same_program(tmp_path: Path) -> None:
    text = run_text('x = """a\nb"""\nreturn x')
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    unix = compile_workflow(workflow_of(imported(tmp_path / "a", text, name="line_ends")))
    windows = compile_workflow(
        workflow_of(imported(tmp_path / "b", text.replace("\n", "\r\n"), name="line_ends"))
    )
    assert unix.digest == windows.digest


def test_spans_are_one_for_each_operation(tmp_path: Path) -> None:
    body = "xs = [await act(i) for i in range(3) if i]\ntry:\n    y = xs[0]\nfinally:\n    xs.pop()\nreturn y"
    compiled = compile_workflow(workflow_of(imported(tmp_path, run_text(body))))
    for function, blocks in zip(compiled.program.functions, compiled.spans.spans, strict=True):
        assert len(function.blocks) == len(blocks)
        for block, spans in zip(function.blocks, blocks, strict=True):
            assert len(spans) == len(block.instructions) + 1
            assert all(one.line >= 1 and one.end_line >= one.line for one in spans)


def test_a_shared_text_is_parsed_once_and_again_when_it_was_edited(tmp_path: Path) -> None:
    module = imported(tmp_path, run_text("return 1"))
    path = Path(str(module.__file__))
    with shared_sources():
        reader = current_reader()
        compile_workflow(workflow_of(module))
        kept = current_reader().files[str(path)]
        assert current_reader().module(module) is kept
        path.write_text(path.read_text() + "\n# edited\n")
        assert current_reader().module(module) is not kept
    assert current_reader() is not reader
