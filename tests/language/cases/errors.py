"""Errors: try, except, else, finally with every exit, raise from, re-raise, context, attributes, notes."""

from tests.language.steps import OutOfStock, boom, double, echo, flaky, note, sell, stubborn
from waymark import RetryPolicy, Workflow, workflow

INPUTS = {
    "CatchByType": [{"kind": k} for k in ("ValueError", "KeyError", "OSError", "RuntimeError", "ZeroDivisionError")],
    "FinallyExits": [{"how": h} for h in ("fall", "return", "break", "continue", "raise", "caught", "else")],
    "FinallyOverrides": [{"how": h} for h in ("return", "raise", "break")],
    "NestedFinally": [{"how": h} for h in ("return", "raise", "fall", "break")],
    "ElseClause": [{"fail": True}, {"fail": False}],
}


class Refused(Exception):
    pass


class Detailed(ValueError):
    def __init__(self, code, detail="none"):
        super().__init__(f"code {code}")
        self.code = code
        self.detail = detail


@workflow
class CatchByType(Workflow):
    async def run(self, kind):
        try:
            await boom(kind, "first", 2)
        except ValueError as e:
            return "value", e.args
        except (KeyError, ZeroDivisionError) as e:
            return "key or zero", str(e), repr(e)
        except OSError as e:
            return "os", e.errno, e.strerror
        except Exception as e:
            return "other", type(e).__name__, e.args


@workflow
class Uncaught(Workflow):
    async def run(self):
        await note("before")
        await boom("ValueError", "not caught", 7)
        await note("never")


@workflow
class UncaughtCustom(Workflow):
    async def run(self):
        await sell("book", 3)


@workflow
class CustomAttributes(Workflow):
    async def run(self):
        try:
            await sell("book", left=3)
        except OutOfStock as e:
            return e.item, e.left, str(e), e.args, type(e).__name__


@workflow
class RaiseOwn(Workflow):
    async def run(self):
        try:
            raise Detailed(5, detail=await note("x"))
        except ValueError as e:
            e.extra = [1]
            return e.code, e.detail, e.extra, str(e), repr(e), isinstance(e, Detailed)


@workflow
class RaiseOwnUncaught(Workflow):
    async def run(self):
        raise Detailed(await double(4))


@workflow
class RaiseClass(Workflow):
    async def run(self):
        try:
            raise Refused
        except Refused as e:
            first = repr(e)
        raise KeyError


@workflow
class RaiseFrom(Workflow):
    async def run(self):
        try:
            await boom("ValueError", "inner")
        except ValueError as e:
            raise Refused("outer") from e


@workflow
class RaiseFromNone(Workflow):
    async def run(self):
        try:
            await boom("ValueError", "inner")
        except ValueError:
            raise Refused("outer") from None


@workflow
class ImplicitContext(Workflow):
    async def run(self):
        try:
            await boom("ValueError", "inner")
        except ValueError:
            await note("handling")
            raise Refused("outer")


@workflow
class ContextOfAwaited(Workflow):
    async def run(self):
        try:
            raise KeyError("first")
        except KeyError:
            try:
                await boom("ValueError", "second")
            except ValueError as e:
                return repr(e.__context__), e.__cause__, e.__suppress_context__


@workflow
class CauseChain(Workflow):
    async def run(self):
        try:
            try:
                1 / 0
            except ZeroDivisionError as e:
                raise Refused("a") from e
        except Refused as e:
            return repr(e.__cause__), repr(e.__context__), e.__suppress_context__


@workflow
class Reraise(Workflow):
    async def run(self):
        try:
            try:
                await boom("KeyError", "k")
            except KeyError:
                await note("log")
                raise
        except LookupError as e:
            return repr(e), e.__context__


@workflow
class ReraiseNamed(Workflow):
    async def run(self):
        try:
            await boom("KeyError", "k")
        except KeyError as e:
            kept = e
        try:
            e
        except NameError as gone:
            pass
        raise kept


@workflow
class NameUnboundAfterExcept(Workflow):
    async def run(self):
        e = "before"
        try:
            raise ValueError("x")
        except ValueError as e:
            pass
        try:
            return e
        except UnboundLocalError as u:
            return str(u)


@workflow
class ElseClause(Workflow):
    async def run(self, fail):
        log = []
        try:
            if fail:
                await boom("ValueError", "x")
            log.append("body")
        except ValueError:
            log.append("except")
        else:
            log.append(await note("else"))
        finally:
            log.append(await note("finally"))
        return log


@workflow
class FinallyExits(Workflow):
    async def run(self, how):
        log = []
        for i in range(3):
            try:
                log.append(i)
                if how == "return":
                    return log
                if how == "break":
                    break
                if how == "continue":
                    continue
                if how == "raise":
                    raise ValueError(i)
                if how == "caught":
                    await boom("KeyError", i)
            except KeyError as e:
                log.append(e.args)
            else:
                log.append("else")
            finally:
                log.append(await note(f"finally {i}"))
            log.append("after")
        return log, how


@workflow
class FinallyOverrides(Workflow):
    async def run(self, how):
        out = []
        for i in range(2):
            try:
                try:
                    raise ValueError("lost")
                finally:
                    out.append(await double(i))
                    if how == "return":
                        return "from finally", out
                    if how == "break":
                        break
                    if how == "raise":
                        raise KeyError("instead")
            except KeyError as e:
                out.append((repr(e), repr(e.__context__)))
        return out


@workflow
class NestedFinally(Workflow):
    async def run(self, how):
        log = []
        while True:
            try:
                try:
                    try:
                        if how == "return":
                            return log
                        if how == "raise":
                            await boom("ValueError", "v")
                        if how == "break":
                            break
                    finally:
                        log.append(await note("inner"))
                except KeyError:
                    log.append("wrong")
                finally:
                    log.append(await note("middle"))
            except ValueError as e:
                log.append(str(e))
            finally:
                log.append(await note("outer"))
            break
        return log


@workflow
class ReturnValueBeforeFinally(Workflow):
    async def run(self):
        x = 1
        try:
            return x, await double(x)
        finally:
            x = 99
            await note("changed")


@workflow
class FinallyKeepsException(Workflow):
    async def run(self):
        try:
            await boom("ValueError", "kept")
        finally:
            try:
                await boom("KeyError", "handled inside")
            except KeyError:
                await note("ok")


@workflow
class HandlerRaises(Workflow):
    async def run(self):
        log = []
        try:
            try:
                await boom("ValueError", 1)
            except ValueError:
                log.append("handler")
                await boom("KeyError", 2)
            finally:
                log.append("finally")
        except KeyError as e:
            log.append((repr(e), repr(e.__context__)))
        return log


@workflow
class TryInLoop(Workflow):
    async def run(self):
        out = []
        for kind in ["ValueError", "", "KeyError", "", "TypeError"]:
            try:
                if kind:
                    await boom(kind, kind.lower())
                out.append("fine")
            except (ValueError, KeyError) as e:
                out.append(e.args[0])
                continue
            except TypeError:
                break
        return out


@workflow
class MatchByBase(Workflow):
    async def run(self):
        out = []
        for kind in ("FileNotFoundError", "ConnectionResetError", "IndexError", "UnicodeError", "NotImplementedError"):
            try:
                await boom(kind, "x")
            except (OSError, LookupError) as e:
                out.append(("os or lookup", type(e).__name__))
            except ValueError as e:
                out.append(("value", type(e).__name__))
            except RuntimeError as e:
                out.append(("runtime", type(e).__name__))
        return out


@workflow
class PatternFromVariable(Workflow):
    async def run(self):
        kinds = (KeyError, ValueError)
        try:
            await boom("ValueError", 1)
        except kinds as e:
            return repr(e)


@workflow
class PatternIsNoException(Workflow):
    async def run(self):
        try:
            try:
                await boom("ValueError", 1)
            except int:
                return "never"
        except TypeError as e:
            return str(e), repr(e.__context__)


@workflow
class RaiseNonException(Workflow):
    async def run(self):
        try:
            raise 5
        except TypeError as e:
            return str(e)


@workflow
class Notes(Workflow):
    async def run(self):
        e = ValueError("x")
        e.add_note("one")
        e.add_note(await note("two"))
        raise e


@workflow
class StoredException(Workflow):
    async def run(self):
        errors = []
        for kind in ("ValueError", "KeyError"):
            try:
                await boom(kind, kind)
            except Exception as e:
                errors.append(e)
        await echo(1)
        return [type(e).__name__ for e in errors], [str(e) for e in errors], errors[0] is errors[0]


@workflow
class ExceptionAsArgument(Workflow):
    async def run(self):
        back = await echo(Detailed(3))
        return type(back).__name__, back.code, str(back)


@workflow
class ReturnsException(Workflow):
    async def run(self):
        return ValueError("as a value", 2)


@workflow
class RetriesSucceed(Workflow):
    async def run(self):
        a = await self.run_action(flaky(3, "ok"), retry=RetryPolicy(attempts=5))
        b = await stubborn(2)
        return a, b


@workflow
class RetriesExhausted(Workflow):
    async def run(self):
        out = []
        try:
            await self.run_action(flaky(4), retry=RetryPolicy(attempts=3, backoff_seconds=2))
        except ConnectionError as e:
            out.append(str(e))
        try:
            await stubborn(9)
        except ConnectionError as e:
            out.append((type(e).__name__, str(e)))
        try:
            await self.run_action(flaky(2), retry=RetryPolicy(attempts=3, exception_types=["ValueError"]))
        except ConnectionError as e:
            out.append(str(e))
        try:
            await flaky(2)
        except ConnectionError as e:
            out.append(str(e))
        return out


@workflow
class PolicyFromValues(Workflow):
    async def run(self):
        n = await double(2)
        policy = RetryPolicy(attempts=n, exception_types=[ConnectionError])
        return await self.run_action(flaky(n), retry=policy), policy.attempts


@workflow
class RaiseInsideExpression(Workflow):
    async def run(self):
        log = []
        try:
            log.append([await note("a"), await boom("ValueError", "b"), await note("c")])
        except ValueError:
            log.append("caught")
        return log


@workflow
class ErrorsOfBuiltins(Workflow):
    async def run(self):
        out = []
        try:
            int("x")
        except ValueError as e:
            out.append(str(e))
        try:
            {}["missing"]
        except KeyError as e:
            out.append((str(e), e.args))
        try:
            [].pop()
        except IndexError as e:
            out.append(str(e))
        try:
            "abc".nothing
        except AttributeError as e:
            out.append((str(e), e.name))
        try:
            None.x
        except AttributeError as e:
            out.append(str(e))
        try:
            (1, 2) + [3]
        except TypeError as e:
            out.append(str(e))
        try:
            "a".join([1])
        except TypeError as e:
            out.append(str(e))
        try:
            b"\xff".decode()
        except UnicodeDecodeError as e:
            out.append((str(e), e.reason, e.start))
        return out


@workflow
class ExceptionGroupsAreValues(Workflow):
    async def run(self):
        try:
            raise OSError(2, "No such file", "f.txt")
        except FileNotFoundError as e:
            return e.errno, e.strerror, e.filename, str(e), type(e).__name__


@workflow
class BareExcept(Workflow):
    async def run(self):
        try:
            await boom("ValueError", 1)
        except:
            return await note("caught")
