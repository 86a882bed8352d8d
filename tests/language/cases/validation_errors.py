"""``ValidationError`` that the machine, a worker that makes an opaque model, or an action raises: caught as what it is."""

from typing import Any

from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from tests.language.steps import User, echo, note
from waymark import Workflow, action, workflow


class Strict(BaseModel):
    n: int
    name: str = Field("a", max_length=2)

    @field_validator("n")
    @classmethod
    def fits(cls, n: int) -> int:
        if n == 1:
            raise ValueError("one")
        if n == 2:
            raise PydanticCustomError("mine", "says {what} of {count}", {"what": [1, 3], "count": 2})
        assert n != 3, "three"
        return n


class Holder(BaseModel):
    inner: Strict
    more: list[int] = []


@action
async def check(data: dict[str, Any]) -> int:
    return Strict.model_validate(data).n


@action
async def parse(text: str) -> Holder:
    return Holder.model_validate_json(text)


@workflow
class ErrorsOfOpaqueModels(Workflow):
    async def run(self):
        log = []
        for n in ("x", 1, 2, 3, None, 4):
            for how in (self.made, self.held, self.validated, self.acted):
                try:
                    log.append(await how(n))
                except ValidationError as e:
                    log.append([how.__name__, e.title, e.error_count(), str(e), repr(e), e.args])
                    log.append([[each["loc"], each["type"], each["msg"]] for each in e.errors()])
        return log

    async def made(self, n):
        return Strict(n=n, name="abc")

    async def held(self, n):
        return Holder(inner={"n": n}, more=["a", await echo(7), b"b"])

    async def validated(self, n):
        return Strict.model_validate({"n": n, "name": "b"})

    async def acted(self, n):
        return await check({"n": n})


@workflow
class ValidationErrorsAreKept(Workflow):
    """With their notes, causes and what they hold, across recoveries."""

    async def run(self):
        log = []
        for how in (self.in_json, self.of_a_plain_model, self.of_its_own_type):
            try:
                await how()
            except ValueError as e:
                e.add_note("noted")
                e.place = how.__name__
                await note("kept")
                if isinstance(e, ValidationError):
                    log.append([str(e), e.errors(include_url=False), e.__notes__, e.place, repr(e.__cause__)])
        return log

    async def in_json(self):
        await parse('{"inner": {"n": "y"}, "more": 1}')

    async def of_a_plain_model(self):
        try:
            User(id=[1, {"a": b"b"}], name=await echo(5))
        except ValidationError as e:
            raise e from KeyError("cause")

    async def of_its_own_type(self):
        await check({"n": 2, "name": "much too long"})


@workflow
class ValidationErrorsThatLeave(Workflow):
    async def run(self):
        try:
            await parse("no json")
        except ValidationError as e:
            if e.errors(include_context=False, include_input=False, include_url=False)[0]["type"] != "json_invalid":
                raise
        await check({"n": 1})


class Secret(BaseModel):
    model_config = {"hide_input_in_errors": True}
    n: int


class Open(BaseModel):
    n: int


@workflow
class InputsWithAnAddress(Workflow):
    """Their texts are refused (see ``ending``) where the error shows them; nothing else of it is."""

    async def run(self):
        log = []
        for cls in (Secret, Open):
            try:
                cls(n=lambda: 5)
            except ValidationError as e:
                log.append([e.title, [(each["loc"], each["type"], each["msg"]) for each in e.errors()]])
                if cls is Secret:
                    log.append([await note(str(e)), f"{e!r}"])
        return log
