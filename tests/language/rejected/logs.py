"""Loggers that are values, are made in the run or are set up there: those belong to the process and not to the run."""

import logging

from tests.language.steps import double, note
from waymark import Workflow, workflow

logger = logging.getLogger(__name__)
adapted = logging.LoggerAdapter(logger, {"a": 1})
"""Its class may be anything."""


@workflow
class LoggerOfTheRun(Workflow):
    async def run(self, number):
        self.log.info("doubling")
        self.log = logging.getLogger()
        return await double(number)


@workflow
class LoggerMadeInTheRun(Workflow):
    async def run(self, number):
        log = logging.getLogger("doubling")
        log.info("doubling %d", number)
        return await double(number)


@workflow
class LoggerAsAValue(Workflow):
    async def run(self, number):
        await note(logger)
        return list(map(logger.info, [await double(number)]))


@workflow
class LoggerSetUpInTheRun(Workflow):
    async def run(self, number):
        logger.setLevel(logging.DEBUG)
        adapted.info("doubling %d", number)
        return await double(number)


@workflow
class LoggerInPlaceOfThatOfTheClass(Workflow):
    logger = logging.getLogger(__name__)

    async def run(self, number):
        self.logger = await double(number)
        self.logger.info("doubling %d", number)
        return self.logger
