"""In place of loggers that are values: those of a module or class, by their methods."""

import logging

from tests.language.steps import double, note
from waymark import Workflow, workflow

logger = logging.getLogger(__name__)

INPUTS = {
    name: [{"number": 2}]
    for name in (
        "LoggerOfTheRunRewritten",
        "LoggerMadeInTheRunRewritten",
        "LoggerAsAValueRewritten",
        "LoggerSetUpInTheRunRewritten",
        "LoggerInPlaceOfThatOfTheClassRewritten",
    )
}


@workflow
class LoggerOfTheRunRewritten(Workflow):
    logger = logging.getLogger()

    async def run(self, number):
        self.logger.info("doubling")
        self.doubled = await double(number)
        return self.doubled


@workflow
class LoggerMadeInTheRunRewritten(Workflow):
    async def run(self, number):
        logger.info("doubling %d", number)
        return await double(number)


@workflow
class LoggerAsAValueRewritten(Workflow):
    async def run(self, number):
        await note("logged")
        return [logger.info(each) for each in [await double(number)]]


@workflow
class LoggerSetUpInTheRunRewritten(Workflow):
    async def run(self, number):
        print("doubling", number, sep=" ", end="\n")
        return [await double(number)]


@workflow
class LoggerInPlaceOfThatOfTheClassRewritten(Workflow):
    logger = logging.getLogger(__name__)

    async def run(self, number):
        self.number = await double(number)
        self.logger.info("doubling %d", number)
        return self.number
