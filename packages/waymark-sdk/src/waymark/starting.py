"""A workflow, arguments and options in; a queued run out, or its result."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from waymark import runtime, settings
from waymark.callers import judges_the_call, told_to_the_caller
from waymark.coercion import codec
from waymark.compiler.durable import is_immutable
from waymark.definitions import definition_of, is_compiled
from waymark.requests import pack
from waymark.runs import Run
from waymark.unfinished import unfinished
from waymark_schema.ids import new_instance_id, parse_instance_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from waymark.registry import WorkflowDefinition
    from waymark_schema.wire.frames import ProgramReport

R = TypeVar("R")
MAX_PRIORITY = 2**31 - 1
MAX_KEY_BYTES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """How one run is started, checked."""

    id: UUID | None = None
    idempotency_key: str | None = None
    priority: int = 0
    delay: timedelta | None = None
    start_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    @judges_the_call
    def checked(
        cls,
        *,
        id: UUID | str | None = None,  # noqa: A002 - the public name
        idempotency_key: str | None = None,
        priority: int = 0,
        delay: float | timedelta | None = None,
        start_at: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        connection: object = None,
    ) -> StartOptions:
        """Check what a caller gave; raises ``TypeError`` or ``ValueError`` naming the option."""
        if connection is not None:
            raise unfinished("options(connection=…)")
        if id is not None and idempotency_key is not None:
            msg = "options() takes id or idempotency_key, not both: each names the run by itself"
            raise ValueError(msg)
        return cls(
            id=_id(id),
            idempotency_key=_key(idempotency_key),
            priority=_priority(priority),
            delay=_delay(delay, start_at),
            start_at=_moment(start_at),
            tags=_tags(tags),
        )


judges_the_call(parse_instance_id)


@judges_the_call
def _id(given: object) -> UUID | None:
    if given is None or isinstance(given, UUID):
        return given
    if not isinstance(given, str):
        msg = f"id is {given!r}; expected a UUID or its text"
        raise TypeError(msg)
    return parse_instance_id(given)


@judges_the_call
def _key(key: object) -> str | None:
    if key is not None and (not isinstance(key, str) or not key):
        msg = f"idempotency_key is {key!r}; expected a text that is not empty"
        raise TypeError(msg)
    if key is not None and not _is_storable(key):
        msg = (
            f"idempotency_key is {key!r:.100}; expected a text without NUL and lone surrogates, of at most"
            f" {MAX_KEY_BYTES} bytes in UTF-8: an id of your own, or a digest"
        )
        raise ValueError(msg)
    return key


def _is_storable(text: str) -> bool:
    """Whether the database keeps the text as it is, and its index takes it."""
    try:
        return "\0" not in text and len(text.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:
        return False


@judges_the_call
def _priority(priority: object) -> int:
    if isinstance(priority, bool) or not isinstance(priority, int):
        msg = f"priority is {priority!r}; expected an int, the higher the sooner"
        raise TypeError(msg)
    if abs(priority) > MAX_PRIORITY:
        msg = f"priority is {priority!r}; expected at most {MAX_PRIORITY} either way"
        raise ValueError(msg)
    return priority


@judges_the_call
def _delay(delay: object, start_at: object) -> timedelta | None:
    if delay is None:
        return None
    if start_at is not None:
        msg = "options() takes delay or start_at, not both"
        raise ValueError(msg)
    seconds = seconds_of(delay, what="delay")
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        msg = f"delay is {delay!r}; expected at most {timedelta.max.days} days"
        raise ValueError(msg) from None


@judges_the_call
def _moment(moment: object) -> datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        msg = f"start_at is {moment!r}; expected a datetime with a time zone"
        raise TypeError(msg)
    if moment.utcoffset() is None:
        msg = f"start_at is {moment!r}; expected one with a time zone, such as datetime.now(UTC)"
        raise ValueError(msg)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        msg = f"start_at is {moment!r}; expected one that also is in the years 1 to 9999 in UTC"
        raise ValueError(msg) from None


@judges_the_call
def _tags(tags: Mapping[str, str] | None) -> dict[str, str]:
    given: dict[Any, Any] = dict(tags or {})
    chosen: dict[str, str] = {}
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str):
            msg = f"tags holds {name!r}: {value!r}; expected texts"
            raise TypeError(msg)
        chosen[name] = value
    return chosen


@judges_the_call
def seconds_of(value: object, *, what: str) -> float:
    """Return seconds from a number or a timedelta, zero or more and finite."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"{what} is {value!r}; expected seconds as a number, or a timedelta"
        raise TypeError(msg)
    if not 0 <= value < float("inf"):
        msg = f"{what} is {value!r} seconds; expected zero or more, and finite"
        raise ValueError(msg)
    return float(value)


@dataclass(frozen=True, slots=True)
class WaitOptions:
    """What ``run`` takes beside the workflow's own arguments."""

    blocking: bool
    priority: int
    timeout: float | None

    @classmethod
    def taken_from(cls, kwargs: dict[str, Any]) -> WaitOptions:
        """Take ``_blocking``, ``_priority`` and ``_timeout`` out of ``kwargs``, checked."""
        blocking = kwargs.pop("_blocking", None)
        if blocking is None:
            blocking = not settings.current().skip_wait_for_instance
        elif not isinstance(blocking, bool):
            msg = f"_blocking is {blocking!r}; expected True or False"
            raise TypeError(msg)
        priority, timeout = kwargs.pop("_priority", None), kwargs.pop("_timeout", None)
        return cls(
            blocking,
            0 if priority is None else _priority(priority),
            None if timeout is None else seconds_of(timeout, what="_timeout"),
        )

    def start_options(self) -> StartOptions:
        """Return what of it concerns the start."""
        return StartOptions(priority=self.priority) if self.priority else DEFAULT_OPTIONS


DEFAULT_OPTIONS = StartOptions()


@dataclass(frozen=True, slots=True)
class Prepared(Generic[R]):
    """One run that can be queued: compiled, bound and encoded."""

    request: runtime.StartRequest
    annotation: Any
    """What ``run`` returns."""

    @property
    def payload(self) -> bytes:
        """The run as bytes, for ``bridge.run_instance`` of a process that need not know the workflow."""
        return pack(self.request)

    def run(self, instance_id: UUID) -> Run[R]:
        """Return the run that was queued under ``instance_id``."""
        return Run(instance_id, annotation=self.annotation)


def prepare(
    workflow: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    options: StartOptions = DEFAULT_OPTIONS,
    *,
    instance: Any = None,
) -> Prepared[Any]:
    """Compile a workflow if need be, bind and encode its arguments.

    Raises what ``Workflow.start`` raises, but for the bridge.
    """
    with told_to_the_caller:
        definition = definition_of(workflow)
        written = inspect.unwrap(workflow.run)
        if instance is None:
            instance = workflow()
        arguments = bind(written, instance, args, kwargs)
        kept = codec()
        request = runtime.StartRequest(
            id=options.id or new_instance_id(),
            program=_program(definition),
            inputs=kept.encode(arguments, path="arguments"),
            attributes=kept.encode(dict(vars(instance)), path="self"),
            priority=options.priority,
            delay=options.delay,
            start_at=options.start_at,
            idempotency_key=options.idempotency_key,
            tags=options.tags,
        )
        return Prepared(request, return_annotation(written))


def _program(definition: WorkflowDefinition) -> ProgramReport:
    if not is_compiled(definition.workflow):
        runtime.ready_in_process()  # it may have workflows compiled in a way of its own
    return definition.report()


@judges_the_call
def bind(
    written: Callable[..., Any], instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments by parameter name, without ``self``; a mismatch raises what Python raises."""
    # The call itself is the best judge: it makes a coroutine that never begins, or CPython's own TypeError.
    written(instance, *args, **kwargs).close()
    signature, defaults = _parameters(written)
    arguments = dict(list(signature.bind(instance, *args, **kwargs).arguments.items())[1:])
    return {**defaults, **arguments} if defaults else arguments


@functools.lru_cache(maxsize=1024)
def _parameters(written: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    """Return the signature of ``run``, and the defaults that every start sends along."""
    signature = inspect.signature(written)
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not parameter.empty
    }
    # A program holds constant defaults only, and none in front of another kind: where there is a list, a
    # model or their like, each start sends all of them along.
    return signature, {} if all(map(is_immutable, defaults.values())) else defaults


def return_annotation(written: Callable[..., Any]) -> Any:
    """Return what ``run`` promises as an object, ``Any`` where that cannot be found out."""
    try:
        return _evaluated_annotation(written)
    except (NameError, TypeError, SyntaxError):
        return Any


@functools.lru_cache(maxsize=1024)
def _evaluated_annotation(written: Callable[..., Any]) -> Any:
    annotation = inspect.signature(written, eval_str=True).return_annotation
    return Any if annotation is inspect.Signature.empty else annotation


async def start(prepared: Prepared[R]) -> Run[R]:
    """Queue one run."""
    with told_to_the_caller:
        return prepared.run(await runtime.current().start(prepared.request))


async def start_many(calls: Sequence[Prepared[R]]) -> list[Run[R]]:
    """Queue many runs in one transaction."""
    given: list[object] = list(calls)
    for call in given:
        if not isinstance(call, Prepared):
            msg = f"start_many was given {call!r}; expected what W.call(…) returns"
            raise TypeError(msg)
    # Nobody may ever ask for all of these: their pools are spared the notifications.
    requests = [replace(call.request, awaited=False) for call in calls]
    with told_to_the_caller:
        ids = await runtime.current().start_many(requests)
    return [call.run(instance_id) for call, instance_id in zip(calls, ids, strict=True)]


async def run_and_wait(prepared: Prepared[R], waiting: WaitOptions) -> R | str:
    """Queue one run and return its result, or its id when the caller does not wait."""
    with told_to_the_caller:
        run = await start(prepared)
        return await run.result(timeout=waiting.timeout) if waiting.blocking else run.id
