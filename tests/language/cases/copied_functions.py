"""Objects whose fields hold functions: what ``asdict``, ``deepcopy`` and ``model_copy`` make of them."""

import copy
import re
from collections import OrderedDict, defaultdict
from dataclasses import asdict, astuple, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from tests.language.steps import double, echo
from waymark import Workflow, workflow


@dataclass
class Hook:
    call: Any
    more: Any = None

    def twice(self, value):
        self.more = [self.more, value]
        return self.call(value) * 2


class Rule(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    check: Any
    names: list = []


def halved(value):
    return value // 2


@workflow
class FieldsAsADictKeepTheirFunctions(Workflow):
    async def run(self):
        seen = 0

        def count():
            nonlocal seen
            seen += 1
            return seen

        fields = asdict(Hook(count, [count, halved]))
        same = [fields["call"] is count, fields["more"][0] is count, fields["more"][1] is halved]
        await echo(same)
        items = astuple(Hook(count, (len, str.upper)))
        return [same, fields["call"](), items[0](), count(), seen, items[1][0]("abc"), items[1][1]("x")]


@workflow
class FactoriesOfDictsAndTuples(Workflow):
    async def run(self):
        def told(pairs):
            return {name: value for name, value in pairs if value}

        def broken(values):
            raise LookupError(f"{len(values)} values")

        nested = Hook(await double(1), Hook(3))
        out = [
            asdict(nested, dict_factory=told),
            astuple(nested, tuple_factory=lambda values: [*values, "end"]),
            asdict(nested, dict_factory=OrderedDict),
        ]
        for wrong in (
            lambda: astuple(nested, tuple_factory=broken),
            lambda: asdict(nested, dict_factory=5),
            lambda: asdict(nested, told),
        ):
            try:
                out.append(wrong())
            except (LookupError, TypeError) as error:
                out.append(str(error))
        return out


@workflow
class DeepCopiesShareFunctions(Workflow):
    async def run(self):
        made = []

        def fresh():
            made.append(len(made))
            return made[-1]

        hook = Hook(fresh, {"k": fresh, "len": len, "up": "x".upper})
        other = copy.deepcopy([hook, Hook, ValueError])
        rows = defaultdict(fresh)
        copied = copy.deepcopy(rows)
        first = [rows["a"], copied["b"], other[0].call(), other[0].more["k"]()]
        await echo(first)
        same = [copy.copy(fresh) is fresh, other[0].more["len"] is len, other[1:] == [Hook, ValueError]]
        return [first, same, copied["c"], made, other[0].more["up"]()]


@workflow
class DeepCopiesOfMethodsHaveCopiesOfTheirObjects(Workflow):
    async def run(self):
        hook = Hook(halved)
        held = {"hook": hook, "method": hook.twice}
        other = copy.deepcopy(held)
        await echo(1)
        out = [other["method"](8), held["method"](6), hook.more, other["hook"].more]
        pattern = re.compile("a(b)")
        fields = asdict(Hook(pattern, re.match("x", "x")))
        return [*out, copy.copy(hook.twice)(2), hook.more, fields["call"] is pattern, fields["more"].group()]


@workflow
class ModelsCopiedDeeplyShareFunctions(Workflow):
    async def run(self):
        seen = [await double(2)]
        rule = Rule(check=lambda value: seen.append(value) or len(seen))
        other = rule.model_copy(deep=True)
        other.names.append("other")
        return [other.check(1), rule.check(2), seen, other.check is rule.check, rule.names, other.names]
