"""A program that is linked twice, as one that was forgotten between two runs is."""

from tests.language.cases.exception_texts import InheritedTexts, NotFound
from waymark.compiler.pipeline import compile_workflow
from waymark_schema.ir.wellformed import load
from waymark_worker.vm.link import link_program


def test_classes_with_inherited_texts_are_linked_again() -> None:
    compiled = compile_workflow(InheritedTexts)
    first, second = (link_program(load(compiled.program_bytes), compiled.digest) for _ in range(2))
    assert first.classes == second.classes
    own = next(cls for cls in second.classes if cls.__name__ == NotFound.__name__)
    assert "__str__" not in vars(own)
