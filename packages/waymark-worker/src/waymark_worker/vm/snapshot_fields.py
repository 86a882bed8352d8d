"""Records of the machine by their stored tag: which fields a snapshot keeps of each, and what they may hold."""

from __future__ import annotations

from collections import deque
from decimal import Context
from typing import Any

from waymark_worker.vm import asynchrony
from waymark_worker.vm.async_generators import AsyncGenerator
from waymark_worker.vm.async_iteration import AsyncItem, AsyncStep
from waymark_worker.vm.callables import (
    UNBOUND,
    BoundFunction,
    CallValue,
    Cell,
    Coroutine,
    FunctionValue,
    SleepValue,
    WorkflowObject,
)
from waymark_worker.vm.callbacks import Comparer, Hosted
from waymark_worker.vm.contexts import (
    TRACEBACK,
    AsyncGeneratorManager,
    GeneratorManager,
    ManagerFunction,
    NullContext,
    Suppress,
)
from waymark_worker.vm.decimals import LocalContext
from waymark_worker.vm.digests import Digest
from waymark_worker.vm.generator_managers import ManagerStep, Managing
from waymark_worker.vm.generators import Closing, Sending
from waymark_worker.vm.iterators import EXHAUSTED, Enumerate, Filter, Framed, Generator, Map, Zip
from waymark_worker.vm.managers import AwaitWhat
from waymark_worker.vm.natives import (
    Construct,
    EnumerateStep,
    Extreme,
    Fill,
    FilterStep,
    MapStep,
    SortByKey,
    ZipEnd,
    ZipStep,
)
from waymark_worker.vm.patterns import Attributes
from waymark_worker.vm.regexes import Match, Pattern
from waymark_worker.vm.routines import Routine
from waymark_worker.vm.scheduling import STOP, Future, Gather, Task
from waymark_worker.vm.state import Frame, NativeFrame

Nothing = type(None)
FRAME = (Frame, NativeFrame, Nothing)
ANY = (object,)
Fields = tuple[tuple[str, tuple[type, ...]], ...]

_ENDS: Fields = (("buffer", (deque,)), ("ended", (bool,)), ("failure", (BaseException, Nothing)))
_FUTURE: Fields = (
    ("state", (int,)),
    ("value", ANY),
    ("callbacks", (list,)),
    ("cancel_message", ANY),
    ("cancelled_error", (BaseException, Nothing)),
)
_STEP: Fields = (("caller", FRAME), ("depth", (int,)), ("nested", (int,)))
_MANAGER: Fields = (("generator", (Generator, AsyncGenerator)), ("entered", (bool,)))

RECORDS: dict[str, tuple[type, Fields]] = {
    "cell": (Cell, (("value", ANY),)),
    "bound": (BoundFunction, (("function", (FunctionValue,)), ("receiver", ANY))),
    "self": (WorkflowObject, (("workflow", (str,)), ("attributes", (dict,)), ("shared", (dict,)))),
    "call": (
        CallValue,
        (("arguments", (dict,)), ("inner", (CallValue, Nothing)), ("future", (Future, Nothing))),
    ),
    "sleep": (SleepValue, (("delay", ANY), ("result", ANY), ("state", (int,)))),
    "coroutine": (Coroutine, (("frame", (Frame, Nothing)), ("state", (int,)))),
    "generator": (
        Generator,
        (*_ENDS, ("frame", (Frame, Nothing)), ("state", (int,)), ("result", ANY)),
    ),
    "zip_framed": (Zip, (*_ENDS, ("sources", (list,)), ("strict", (bool,)))),
    "enumerate_framed": (Enumerate, (*_ENDS, ("source", (Framed,)), ("count", (int,)))),
    "map_framed": (Map, (*_ENDS, ("function", ANY), ("sources", (list,)))),
    "filter_framed": (Filter, (*_ENDS, ("function", ANY), ("source", ANY))),
    "future": (Future, _FUTURE),
    "task": (
        Task,
        (
            *_FUTURE,
            ("coroutine", (CallValue, SleepValue, Coroutine, Routine, Nothing)),
            ("frame", FRAME),
            ("waiter", (Future, Nothing)),
            ("must_cancel", (bool,)),
            ("cancels_requested", (int,)),
            ("name", (str, Nothing)),
            ("decimal", (Context, Nothing)),
        ),
    ),
    "gather": (
        Gather,
        (
            *_FUTURE,
            ("children", (list,)),
            ("expected", (int,)),
            ("finished", (int,)),
            ("return_exceptions", (bool,)),
            ("cancel_requested", (bool,)),
        ),
    ),
    "frame": (
        Frame,
        (
            ("caller", FRAME),
            ("depth", (int,)),
            ("owner", (Coroutine, Generator, AsyncGenerator, Nothing)),
        ),
    ),
    "fill": (Fill, (*_STEP, ("source", (Framed,)), ("count", (int,)))),
    "zip_step": (ZipStep, (*_STEP, ("record", (Zip,)), ("items", (list,)))),
    "zip_end": (ZipEnd, (*_STEP, ("record", (Zip,)), ("place", (int,)))),
    "enumerate_step": (EnumerateStep, (*_STEP, ("record", (Enumerate,)))),
    "map_step": (MapStep, (*_STEP, ("record", (Map,)), ("items", (list,)), ("called", (bool,)))),
    "filter_step": (
        FilterStep,
        (*_STEP, ("record", (Filter,)), ("item", ANY), ("called", (bool,))),
    ),
    "sort": (
        SortByKey,
        (
            *_STEP,
            ("items", (list,)),
            ("key", ANY),
            ("keys", (list,)),
            ("reverse", (bool,)),
            ("target", (list, Nothing)),
        ),
    ),
    "extreme": (
        Extreme,
        (
            *_STEP,
            ("name", (str,)),
            ("iterator", ANY),
            ("key", ANY),
            ("default", ANY),
            ("found", (bool,)),
            ("best", ANY),
            ("best_key", ANY),
            ("item", ANY),
        ),
    ),
    "sending": (Sending, _STEP),
    "closing": (Closing, (*_STEP, ("then", (BaseException, Nothing)))),
    "hosted": (Hosted, (("function", ANY),)),
    "comparer": (Comparer, (("function", ANY),)),
    "pattern": (Pattern, (("pattern", (str, bytes)), ("flags", (int,)))),
    "match": (
        Match,
        (
            ("re", (Pattern,)),
            ("string", ANY),
            ("pos", (int,)),
            ("endpos", (int,)),
            ("spans", (tuple,)),
            ("lastindex", (int, Nothing)),
        ),
    ),
    "digest": (
        Digest,
        (("algorithm", (str,)), ("fed", (bytearray,)), ("options", (dict,))),
    ),
    "construct": (Construct, (*_STEP, ("made", ANY))),
    **asynchrony.RECORDS,
    "local_context": (LocalContext, (("local", (Context,)), ("saved", (Context,)))),
    "suppress": (Suppress, (("exceptions", (tuple,)),)),
    "nullcontext": (NullContext, (("result", ANY),)),
    "attributes": (
        Attributes,
        (*_STEP, ("subject", ANY), ("names", (list,)), ("found", (list,))),
    ),
    "manager_function": (ManagerFunction, (("function", ANY), ("asynchronous", (bool,)))),
    "generator_manager": (GeneratorManager, _MANAGER),
    "async_generator_manager": (AsyncGeneratorManager, _MANAGER),
    "async_generator": (AsyncGenerator, (("frame", (Frame, Nothing)), ("state", (int,)))),
    "async_item": (AsyncItem, _STEP),
    "async_step": (
        AsyncStep,
        (
            *_STEP,
            ("state", (int,)),
            ("step", (int,)),
            ("generator", (AsyncGenerator,)),
            ("how", (str,)),
            ("value", ANY),
            ("default", ANY),
        ),
    ),
    "managing": (Managing, (*_STEP, ("maker", (ManagerFunction,)))),
    "manager_step": (
        ManagerStep,
        (
            *_STEP,
            ("generator", (Generator, AsyncGenerator)),
            ("phase", (int,)),
            ("error", (BaseException, Nothing)),
            ("raised", (BaseException, Nothing)),
        ),
    ),
    "await_what": (AwaitWhat, (*_STEP, ("name", (str,)), ("awaited", (bool,)))),
}
"""Stored tag → record and its fields. Tags and fields are part of ``SEMANTICS``: add, never change."""

SINGLE: dict[str, Any] = {
    "unbound": UNBOUND,
    "exhausted": EXHAUSTED,
    "stop": STOP,
    "traceback": TRACEBACK,
    **asynchrony.SINGLE,
}
"""Marks of which there is one."""
