"""Loggers of modules and classes: lines in the log of the run, from INFO upwards, each written once."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from logging import INFO, getLogger
from logging import warning as warn_all

from tests.language.steps import boom, double, note
from waymark import Workflow, workflow

logger = logging.getLogger(__name__)
orders: logging.Logger = getLogger("shop.orders")
root = logging.getLogger()


@dataclass
class Amount:
    cents: int

    def __str__(self):
        if self.cents < 0:
            raise ValueError("no text")
        return f"{self.cents / 100:.2f} EUR"


@workflow
class LoggerOfAModule(Workflow):
    async def run(self):
        logger.info("doubled %s, then %d", await double(2), 5)
        logger.debug("never shown, and still %s", await note("evaluated"))
        logger.warning("%(what)s of %(name)r", {"what": "a dict", "name": "shop"})
        orders.error("%s of %5.1f%%", Amount(1250), 7)
        root.critical("100%")
        logger.warn("old name")
        logger.fatal(Amount(1))
        print("between")
        for level in (logging.DEBUG, INFO, 25, logging.CRITICAL):
            logger.log(level, "at %d", level)
        return logger.info("gives"), logger.isEnabledFor(INFO), logger.isEnabledFor(logging.DEBUG)


@workflow
class LoggerOfAClass(Workflow):
    log_of_class = logging.getLogger("of.class")

    async def run(self):
        parts = await asyncio.gather(*[self.part(n) for n in range(3)])
        self.log_of_class.info("done %s", parts, extra={"run": 1}, stacklevel=2)
        return parts

    async def part(self, n):
        self.log_of_class.info("part %d", n)
        return await double(n)


@workflow
class LogsWithoutALogger(Workflow):
    async def run(self):
        logging.debug("%s", await note("evaluated"))
        logging.info("info %s", await double(1))
        warn_all("warning")
        logging.error([1, {"a": None}])
        logging.critical("critical")
        logging.log(INFO, "log %s %s", *["a", "b"])
        logging.log(5, "nothing")
        logging.exception("nothing is handled")


@workflow
class LoggedErrors(Workflow):
    async def run(self):
        try:
            await boom("ValueError", "v")
        except ValueError as e:
            logger.exception("failed %s", 1)
            logging.exception(e)
            logger.error("failed", exc_info=True)
            logger.warning("failed", exc_info=(type(e), e, None))
            logger.info("failed", exc_info=False)
            contexts = [repr(e.__context__)]
        try:
            try:
                raise KeyError("a")
            except KeyError:
                try:
                    raise OSError
                except OSError:
                    logger.exception("inner")
                    raise
        except OSError as e:
            contexts += [repr(e.__context__), repr(e.__cause__)]
        logger.error("given", exc_info=ValueError(await double(3)))
        logger.exception("none is handled any more")
        logger.exception("no text", exc_info=ValueError(Amount(-1)))
        return contexts


@workflow
class MessagesThatDoNotFit(Workflow):
    async def run(self):
        logger.info("%d", "x")
        logger.info("%s %s", await double(1))
        logger.info("none", 1)
        logger.info("%(a)s", {"b": 1})
        logger.info("%(a)s", OrderedDict(a=2))
        logger.info("%s", {})
        logger.info("%s", Amount(-1))
        logger.info(Amount(-1))
        logger.info(None)
        wrong = (
            lambda: logger.info("x", nope=1),
            lambda: logger.debug("x", nope=1),
            lambda: logger.info("x", extra={"module": 1}),
            lambda: logger.log("INFO", "x"),
            lambda: logger.log("x", level=INFO),
        )
        seen = []
        for call in wrong:
            try:
                seen.append(call())
            except (TypeError, KeyError) as e:
                seen.append(type(e).__name__)
        return seen


@workflow
class LogsByName(Workflow):
    async def run(self):
        logger.info(msg=await note("by name"))
        logger.log(level=INFO, msg="with a level")
        seen = [logger.isEnabledFor(level=INFO), logger.isEnabledFor(level=logging.DEBUG)]
        for call in (lambda: logger.info(), lambda: logger.log(INFO), lambda: logger.warning(level=1)):
            try:
                call()
            except TypeError as e:
                seen.append(str(e))
        return seen


@workflow
class LogsWhileItIsCancelled(Workflow):
    async def run(self):
        try:
            logger.info("waits")
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            logger.exception("cancelled")
            raise
        finally:
            logger.info("leaves %s", await note("cleaned"))
