# ruff: noqa: TID251 - asyncio.sleep is the language of workflows
"""A workflow whose module, classes and actions hold what the environment told them, and never say it."""

import asyncio
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from waymark import Depends, RetryPolicy, Workflow, action, current_action, workflow

VARIABLE = "PYTEST_WAYMARK_SECRET"
TOKEN = os.environ[VARIABLE]
TEXT = f"Bearer {TOKEN}"
HELD: dict[str, Any] = {"token": SecretStr(TOKEN), "header": [TEXT]}


class Settings(BaseModel):
    token: str = TOKEN
    header: SecretStr = SecretStr(TEXT)


def settings() -> Settings:
    return Settings()


def _asked(token: str) -> int:
    """Fail once with the secret in the frames of the traceback."""
    header = f"Bearer {token}"
    if current_action().attempt == 1:
        raise ConnectionError("not yet")
    return len(header)


@action(retry=RetryPolicy(attempts=2))
async def ask(canary: str, flag: str, token: str = TOKEN, given: Any = Depends(settings)) -> int:
    while not Path(flag).exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.02)
    assert token == given.token == os.environ[VARIABLE]
    return len(canary) + _asked(given.token)


@workflow
class Discreet(Workflow):
    token = TOKEN
    held = HELD

    def __init__(self) -> None:
        header = f"Bearer {TOKEN}"
        self.length = len(header)

    async def run(self, canary: str, flag: str) -> tuple[str, int]:
        there = await ask(canary, flag)
        await asyncio.sleep(1.5)
        return canary, there - self.length
