"""``return``, ``break``, ``continue`` and ``raise`` out of every kind of block."""

from contextlib import nullcontext, suppress

from tests.language.steps import double, echo, note, numbers
from waymark import Workflow, workflow


@workflow
class EveryWayOutOfEveryBlock(Workflow):
    async def leave(self, where, how, log):
        for turn in range(3):
            log.append((where, how, turn))
            if where == "branch":
                if how == "break":
                    break
                if how == "continue":
                    continue
                if how == "return":
                    return await echo(turn)
                raise ValueError(where)
            elif where == "try":
                try:
                    if turn == 0:
                        await note(how)
                    match how:
                        case "break":
                            break
                        case "continue":
                            continue
                        case "return":
                            return turn
                    raise ValueError(where)
                except KeyError:
                    log.append("never")
            elif where == "handler":
                try:
                    raise KeyError(turn)
                except KeyError:
                    match how:
                        case "break":
                            break
                        case "continue":
                            continue
                        case "return":
                            return await echo(turn)
                    raise ValueError(where) from None
            elif where == "finally":
                try:
                    log.append(await double(turn))
                finally:
                    match how:
                        case "break":
                            break
                        case "continue":
                            continue
                        case "return":
                            return turn
                    raise ValueError(where)
            elif where == "with":
                async with nullcontext():
                    with suppress(KeyError):
                        match how:
                            case "break":
                                break
                            case "continue":
                                continue
                            case "return":
                                return await echo(turn)
                        raise ValueError(where)
        else:
            log.append("else")
        return "end"

    async def run(self):
        log = []
        for where in ("branch", "try", "handler", "finally", "with"):
            for how in ("break", "continue", "return", "raise"):
                try:
                    log.append(await self.leave(where, how, log))
                except ValueError as error:
                    log.append((str(error), repr(error.__context__)))
        return log


@workflow
class DirectWaysOut(Workflow):
    async def returns(self, where):
        match where:
            case "loop":
                for turn in await numbers(3):
                    return turn
            case "try":
                try:
                    return await echo("tried")
                finally:
                    await note("left")
            case "handler":
                try:
                    raise KeyError
                except KeyError:
                    return await echo("handled")
            case "finally":
                try:
                    await note("body")
                finally:
                    return "finally"
            case "with":
                with nullcontext():
                    return await echo("with")

    async def breaks(self):
        out = []
        for turn in range(4):
            try:
                if turn == 1:
                    continue
                out.append(turn)
                break
            finally:
                out.append("finally")
        while True:
            with suppress(KeyError):
                break
        for turn in range(2):
            with nullcontext(turn):
                continue
        for turn in range(3):
            try:
                await note("turn")
            finally:
                continue
        for turn in range(3):
            try:
                raise KeyError(turn)
            except KeyError:
                break
        for turn in range(3):
            try:
                break
            except KeyError:
                continue
        for turn in range(3):
            try:
                raise OSError
            finally:
                break
        for turn in range(3):
            continue
        for turn in range(3):
            break
        return out, turn

    async def run(self):
        return [await self.returns(where) for where in ("loop", "try", "handler", "finally", "with")], await self.breaks()
