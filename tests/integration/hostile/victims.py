# ruff: noqa: UP030, UP032 - a call of format() is what the tests change
"""A workflow whose stored program the tests tamper with, and one that must go on."""

from typing import Any

from waymark import Workflow, action, workflow


@action
async def double(x: int) -> int:
    return 2 * x


@workflow
class Victim(Workflow):
    async def run(self, text: str) -> Any:
        """As ``tests.support.tampering.BODY``, with a call of an action behind it."""
        kept = [1]
        parts: Any = (len(text), text.casefold(), type(kept).copy(kept), callable(text))
        if text:
            parts += ("{0.real}".format(3), len(text).real.imag)
        return parts, await double(1)


@workflow
class Bystander(Workflow):
    async def run(self, x: int) -> int:
        return await double(x)
