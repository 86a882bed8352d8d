"""Cases, refusals and tables of the language go in; the text of ``docs/reference/language.md`` comes out.

``python -m tests.support.language_page`` writes it.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.language import cases, rejected
from tests.language.discovery import modules, workflows
from tests.support.checkout import ROOT
from waymark import UnsupportedPatternError
from waymark.compiler.diagnostics import TITLES, Diagnostic
from waymark.compiler.pipeline import compile_workflow
from waymark_schema.ir import language, library
from waymark_worker.vm import machine as _machine  # noqa: F401 - it fills the tables
from waymark_worker.vm import records
from waymark_worker.vm.async_generators import AsyncGenerator
from waymark_worker.vm.attributes import _EXCEPTION_FIELDS, _NATIVE_FIELDS
from waymark_worker.vm.iterators import Generator
from waymark_worker.vm.methods import METHODS

PAGE = ROOT / "docs" / "reference" / "language.md"

HEAD = """\
# The workflow language

A workflow is plain Python, and CPython is its specification: what compiles runs as CPython would run it, also when the process dies
between any two steps. What cannot be run like CPython is refused when the workflow is compiled, with the place, the reason and what
to write instead; `waymark check` shows all of it at once ([how](../how-to/check-your-workflows.md)).

This page is generated from the cases that the tests run, each in CPython and in the machine, with a recovery after every step:
{count} of them. Every example below is one of those cases, shown whole; `double`, `note`, `echo`, `boom` and the like are actions
of the tests (`boom` raises what it is told to).

A workflow does three kinds of things:

* **It awaits**: actions, its own `async` methods, functions and generators, `asyncio` ([below](#waiting)). Only actions reach the outside.
* **It computes**: everything else of this page. A recovery does it again, or continues from a snapshot; nobody can tell.
* **It records**: clocks, ids and random numbers are asked for once; a recovery sees the same values ([below](#recorded-values)).

"""

SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Assignment",
        ("Names, nested and starred targets, chains, `:=`, every augmented operator, subscripts, slices and attributes, `del`. "
        "Two names for one list stay two names for one list, after a recovery too."),
        ("assignment.StarredUnpack", "assignment.CutOffAliasing"),
    ),
    (
        "Expressions",
        ("All operators and displays, chained comparisons, conditional expressions, f-strings with conversions and format specs, slices, "
        "`*` and `**` in displays and calls. Operands are evaluated from left to right, each once; `await` may stand wherever an "
        "expression may."),
        ("expressions.AwaitAnywhere",),
    ),
    (
        "Branches and loops",
        ("`if`, `for` and `while` with `break`, `continue` and `else`, `assert`, `return` from anywhere. "
        "A loop that goes on for more than the [budget](#limits) without awaiting anything is ended."),
        ("flow.ForElse",),
    ),
    (
        "match",
        "Every pattern: literals, captures, sequences, mappings, classes, alternatives, `as`, guards. Subject and guards may await.",
        ("match_statements.AwaitInGuards", "match_classes.Dataclasses"),
    ),
    (
        "Errors",
        ("`try` with `except`, `else`, `finally`; `except*`; `raise … from …`; exceptions of your own, with their attributes. `finally` "
        "blocks and `with` blocks also run when a run is cancelled, and when the process died meanwhile."),
        ("errors.FinallyOverrides", "exception_groups.TakesItsShare"),
    ),
    (
        "Context managers",
        ("`contextlib.suppress`, `nullcontext`, `closing` and `aclosing`, the locks and `asyncio.timeout` of [below](#waiting), `decimal.localcontext`, your own "
        "`@contextmanager` and `@asynccontextmanager` functions and classes with `__enter__` and `__exit__`."),
        ("context_functions.EnterAndLeave",),
    ),
    (
        "Comprehensions and generators",
        ("All comprehensions, with `await` and several `for`s; generator expressions; generator functions, `yield from`, `send`, `throw`, "
        "`close`; `async for` and asynchronous generators."),
        ("comprehensions.WithAwait", "generators.StateSurvives"),
    ),
    (
        "Functions",
        ("Methods (inherited ones and `super()`, too), functions of your own package, nested functions, closures and lambdas, with "
        "defaults, keyword-only and variable parameters, and recursion up to 500 deep. They are compiled in; functions of other "
        "packages belong into an action."),
        ("functions.SuperAsync", "closures.SharedCells"),
    ),
    (
        "Objects",
        ("Dataclasses, pydantic models, named tuples, enums and exceptions: made, read, changed, compared, with their methods, "
        "properties (setters and deleters, too) and validators, `functools.total_ordering` and `cached_property`. `isinstance`, "
        "`issubclass` and `match` know the abstract classes of `collections.abc` and `numbers`, and for the first two their aliases in "
        "`typing`. The page on [values](values.md) says what is kept of each."),
        ("objects.DataclassMethods", "objects.ModelMethods"),
    ),
    (
        "Waiting",
        ("`asyncio` of CPython 3.12, hop for hop: `sleep`, `gather`, `create_task`, `TaskGroup`, `wait_for`, `timeout`, `wait`, "
        "`as_completed`, `shield`, `Lock`, `Event`, `Condition`, `Semaphore` and the queues. A sleep is durable: it costs nothing "
        "while it lasts and ends in time whatever happened meanwhile."),
        ("concurrency.GatherMixture", "groups.OneFails", "timeouts.TimeoutAroundABlock", "queues.ProducerAndConsumer"),
    ),
    (
        "Recorded values",
        "Their value is written to the journal when it is asked for, so a recovery sees the same one. " + ", ".join(
            f"`{name}`" for name in language.RECORDED if not name.startswith("random.")
        ) + ", and the functions of `random`.",
        ("recorded.RetryWithJitter",),
    ),
)  # fmt: skip

LOGS = """\
What `print` and loggers are given stands in the log of the run, once, whatever is recovered. A logger is bound once in a module or in
the workflow's class (`logger = logging.getLogger(__name__)`), and has `debug`, `info`, `warning`, `error`, `exception`, `critical`, `log` and
`isEnabledFor`. Each message from INFO upwards is kept as `LEVEL name: message`, whatever levels and handlers the process has; of an
exception (`exc_info`) its type and text follow, and `extra` is not shown. A message that its arguments do not fit fails nothing.
"""

LIMITS = """\
## Limits

A run that reaches one of these ends with an error that says so; its neighbours and the pool go on.

| what | limit |
| --- | --- |
| work between two awaits | 10 million units: about one for each small operation, and one for each item or few characters that a builtin handles (`WAYMARK_STEP_BUDGET`) |
| everything that a run keeps between two awaits | 64 MiB as stored (`WAYMARK_MAX_SNAPSHOT_BYTES`) |
| depth of calls | 500; beyond it `RecursionError`, which can be caught |
| integers | 1 million bits |
| one value (an argument, a result, a text, a list) | 16 MiB (`WAYMARK_MAX_VALUE_BYTES`) |
| nesting of a value | 200 |
| regular expressions | on up to 64 Ki characters; patterns that refer back to a group or repeat a part that repeats itself belong into an action |

## What differs from CPython

* Sets keep the order in which their items were added; CPython's order is arbitrary and differs from process to process.
* The text of an object that would show its memory address (`<… object at 0x…>`) is an error, and so are `id()` and `hash()`.
* The identity of an object does not outlive a call of an action: what comes back is a copy.
* When a call is cancelled, the workflow goes on at once; the action's own clean-up is not waited for.
* An async generator that is dropped while it stands inside a `try` is an error: close it. Other generators are closed there and then, except in a cycle of references.
* `async for` over `asyncio.as_completed` gives the tasks as they are done, as CPython does since 3.13; before, it is a TypeError there.
* Enums of the standard library have the members that every supported Python has: `re.TEMPLATE` (before 3.13) and the names that
  3.13 gave to members of `http.HTTPStatus` do not exist.
* Line numbers of tracebacks, `contextvars` and `sys.exc_info()` do not exist.

All of this is meant to be so. What differs and should not, mostly in the texts of rare errors, is listed as
[known differences](../explanation/language-testing.md#known-differences).
"""


def page() -> str:
    """The whole text."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    found = {
        f"{module.__name__.rpartition('.')[2]}.{workflow.__name__}": workflow
        for module in modules(cases)
        for workflow in workflows(module)
    }
    yield HEAD.format(count=_rounded(len(found)))
    for title, text, names in SECTIONS:
        yield f"## {title}\n\n{text}\n\n"
        for name in names:
            yield f"```python\n{_source(found[name])}```\n\n"
    yield _names()
    yield LIMITS
    yield "\n" + _refusals()


def _rounded(count: int) -> str:
    """A round figure, so that one more case does not change the page."""
    return f"more than {count // 50 * 50}"


def _source(workflow: type) -> str:
    return textwrap.dedent(inspect.getsource(workflow)).rstrip() + "\n"


def _names() -> str:
    listed: dict[str, list[str]] = {}
    plain = []
    errors = set(language.EXCEPTIONS)
    for name in sorted(language.BUILTINS.keys() - set(language.ACCESSORS)):
        module, _, last = name.rpartition(".")
        if module and name not in language.RECORDED:
            listed.setdefault(module, []).append(last)
        elif not module and name not in errors:
            plain.append(name)
    for name in library.COMPILED:
        module, _, last = name.partition(".")
        listed.setdefault(module, []).append(last)
    lines = ["## Builtins and library", "", _listed(plain) + ";"]
    lines += [
        "and the builtin exceptions: "
        + _listed(sorted(each for each in errors if "." not in each))
        + ".",
        "",
    ]
    lines += ["| module | names |", "| --- | --- |"]
    lines += [
        f"| `{module}` | {_listed(sorted(names))} |" for module, names in sorted(listed.items())
    ]
    lines += ["", "Everything else of the standard library belongs into an action.", "", LOGS]
    lines += ["## Methods and attributes", ""]
    lines += [
        "By the type of the value. A name that CPython has and this table lacks ends the run with `WM2xx` when it is used on such a",
        "value: never with a wrong answer, and never as something that `except` could catch.",
        "",
        "| type | methods | attributes | of the class itself |",
        "| --- | --- | --- | --- |",
    ]
    attributes = {**language.ATTRIBUTES, **_of_exceptions()}
    for name in sorted({**language.METHODS, **attributes, **language.CLASS_METHODS}):
        own = (*language.CLASS_METHODS.get(name, ()), *language.CLASS_ATTRIBUTES.get(name, ()))
        columns = (language.METHODS.get(name, ()), attributes.get(name, ()), own)
        lines.append(f"| `{name}` | " + " | ".join(_listed(each) for each in columns) + " |")
    lines += [
        "",
        "Beside these, the fields and methods of your own classes, `name` and `value` of members of enums, `_fields` of named tuples,",
        "and `__name__` and `__qualname__` of classes. Subclasses have what their base classes have.",
        "",
        "What belongs to one run, and is no value that an action could take or return:",
        "",
        "| what | methods | attributes |",
        "| --- | --- | --- |",
    ]
    for title, methods, readable in _of_records():
        lines.append(f"| {title} | {_listed(methods)} | {_listed(readable)} |")
    return "\n".join(lines) + "\n\n"


def _of_exceptions() -> dict[str, list[str]]:
    """What the machine reads from exceptions, by their classes."""
    found = {"BaseException": sorted(_EXCEPTION_FIELDS)}
    for cls, names in _NATIVE_FIELDS:
        if cls.__name__ in language.EXCEPTIONS:
            found[cls.__name__] = sorted(names)
    return found


_MADE_BY = {"asyncio.Task": ("create_task", "ensure_future"), "asyncio.timeout": ("timeout", "timeout_at")}  # fmt: skip


def _of_records() -> Iterator[tuple[str, list[str], list[str]]]:
    """What the machine keeps for one run: how it comes to be, its methods, its attributes."""
    readable = {kind.__name__: sorted(names) for kind, names in records.ATTRIBUTES.items()}
    for name, methods in language.RECORD_METHODS.items():
        last = name.rpartition(".")[2]
        made = _MADE_BY.get(name, (last,))
        title = ", ".join(f"`asyncio.{each}()`" for each in made)
        yield title, sorted(methods), readable.get(last, [])
    yield "generators", sorted(METHODS[Generator]), []
    own = [name for name in records.METHODS[AsyncGenerator] if not name.startswith("_")]
    yield "asynchronous generators", sorted(own), []


def _listed(names: Sequence[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _refusals() -> str:
    """Each code with one example: the line, what is said of it, and what to write instead."""
    lines = [
        "## What is refused",
        "",
        "When the workflow is compiled, with one of these codes. Nothing outside of this page compiles to something else than CPython",
        "would do: what is not known is refused.",
        "",
        "| code | refused, for example | why | instead |",
        "| --- | --- | --- | --- |",
    ]
    seen: dict[str, list[Diagnostic]] = {}
    for module in modules(rejected):
        for workflow in workflows(module):
            for found in _diagnosed(workflow):
                seen.setdefault(found.code, []).append(found)
    for code in sorted(seen):
        for found in _distinct(seen[code]):
            line = found.excerpt.splitlines()[0].strip()
            cells = (f"`{line}`".replace("|", "\\|"), found.message, found.recommendation)
            lines.append(f"| {code} | " + " | ".join(cells) + " |")
    lines += ["", *_rare(set(TITLES) - set(seen))]
    return "\n".join(lines).rstrip() + "\n"


def _rare(codes: set[str]) -> list[str]:
    if not codes:
        return []
    return [
        "And, more rarely: " + "; ".join(f"{code}, {TITLES[code]}" for code in sorted(codes)) + "."
    ]


def _diagnosed(workflow: type) -> list[Diagnostic]:
    try:
        compile_workflow(workflow)
    except UnsupportedPatternError as error:
        return [one for one in error.diagnostics if isinstance(one, Diagnostic)]
    return []


def _distinct(found: list[Diagnostic]) -> list[Diagnostic]:
    """At most four that say different things."""
    kinds: dict[str, Diagnostic] = {}
    for each in found:
        kinds.setdefault(re.sub(r"`[^`]*`|'[^']*'", "…", each.message), each)
    return list(kinds.values())[:4]


def main(target: Path = PAGE) -> None:
    """Write the page."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page())


if __name__ == "__main__":
    main()
