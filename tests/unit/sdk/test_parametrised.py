"""A parametrised model that a workflow makes, and that nobody else holds, in; it is found by its name, out."""

import gc
from typing import Generic, TypeVar

from pydantic import BaseModel, field_validator

from waymark import Workflow, workflow
from waymark.coercion.imports import find, keep_parametrised
from waymark.compiler.pipeline import compile_workflow

T = TypeVar("T")


class Sheet(BaseModel, Generic[T]):
    rows: list[T]

    @field_validator("rows")
    @classmethod
    def kept(cls, value: list[T]) -> list[T]:
        return value


def _imported_anew() -> type[BaseModel]:
    class Again(BaseModel, Generic[T]):
        rows: list[T]

    Again.__name__ = Again.__qualname__ = "Sheet"
    return Again


@workflow
class MakesSheets(Workflow):
    async def run(self) -> int:
        return len(Sheet[bytes](rows=[b"x"]).rows)


def test_a_parametrised_model_is_found_once_a_workflow_that_makes_it_is_compiled() -> None:
    name = f"{__name__}:Sheet[bytes]"
    compile_workflow(MakesSheets)
    gc.collect()
    found = find(name)
    assert found is not None
    assert found is not Sheet
    assert found.__pydantic_generic_metadata__["args"] == (bytes,)  # type: ignore[attr-defined] # of any model


def test_the_same_module_imported_anew_takes_none_of_the_first_ones_models() -> None:
    compile_workflow(MakesSheets)
    name = f"{__name__}:Sheet[bytes]"
    keep_parametrised(_imported_anew()[bytes])  # type: ignore[index] # as any generic model
    found = find(name)
    assert found is not None
    assert issubclass(found, Sheet)
