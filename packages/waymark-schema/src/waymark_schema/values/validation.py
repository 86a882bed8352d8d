"""A pydantic ``ValidationError`` in, its title and its single errors out, and back."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

LINES = 1000
"""Single errors that are kept of one."""
LONGEST = 1 << 20
"""Characters in the text of one of them."""


class Line(msgspec.Struct, array_like=True, eq=False):
    """One thing that does not fit. ``template``: the text of an error type of the user's own, before its context."""

    type: str
    loc: tuple[str | int, ...]
    input: Any
    context: dict[str, Any]
    template: str | None = None


class Findings(msgspec.Struct, array_like=True, eq=False):
    """What a ``ValidationError`` is made of."""

    title: str
    lines: list[Line]
    mode: Literal["python", "json"] = "python"
    """What was validated: some texts differ."""
    hidden: bool = False
    """Whether its text leaves the inputs out."""


def taken_apart(error: ValidationError) -> Findings:
    """Everything that it was made of, up to ``LINES`` single errors."""
    reduced: Any = error.__reduce__()
    title, details, mode, hidden = reduced[1]
    return Findings(title, [_line(each) for each in details[:LINES]], mode, hidden)


def shown_in(error: ValidationError) -> list[Any]:
    """Every value that its text shows some of: of all of its single errors, contexts and, unless hidden, inputs."""
    reduced: Any = error.__reduce__()
    _, details, _, hidden = reduced[1]
    contexts = [value for each in details for value in (each.get("ctx") or {}).values()]
    return contexts if hidden else [*contexts, *(each["input"] for each in details)]


def _line(details: ErrorDetails) -> Line:
    kind: Any = details["type"]
    context = details.get("ctx") or {}
    if isinstance(kind, PydanticCustomError):
        return Line(kind.type, details["loc"], details["input"], context, kind.message_template)
    return Line(kind, details["loc"], details["input"], context)


def read(parts: Any) -> ValidationError:
    """The error whose ``Findings`` are the decoded ``parts``. Raises ``TypeError`` if they are something else."""
    try:
        findings = msgspec.convert(parts, Findings)
    except msgspec.ValidationError as refused:
        msg = f"a stored ValidationError is made of something else: {refused}"
        raise TypeError(msg) from refused
    return put_together(findings)


def put_together(findings: Findings) -> ValidationError:
    """The error that ``taken_apart`` took apart. Raises ``TypeError`` for what no such error is made of."""
    try:
        _check_texts(findings)
        _check_lengths(findings)
        return ValidationError.from_exception_data(
            findings.title,
            [_details(line) for line in findings.lines],
            findings.mode,
            hide_input=findings.hidden,
        )
    except (ArithmeticError, LookupError, ValueError) as refused:
        msg = f"a stored ValidationError is made of something else: {refused}"
        raise TypeError(msg) from refused


def _check_texts(findings: Findings) -> None:
    """Raise UnicodeEncodeError for a lone surrogate: pydantic's core does not survive one."""
    findings.title.encode()
    for line in findings.lines:
        for text in (line.type, line.template, *line.loc, *line.context, *line.context.values()):
            if isinstance(text, str):
                text.encode()


def _check_lengths(findings: Findings) -> None:
    """Raise ValueError for too much: what is put into a text may itself name what is put in next."""
    if len(findings.lines) > LINES:
        msg = f"it has {len(findings.lines)} lines; {LINES} are kept at most"
        raise ValueError(msg)
    for line in findings.lines:
        _check_length(line)


def _check_length(line: Line) -> None:
    text = line.template or ""
    for key, value in line.context.items():
        shown, place = str(value), f"{{{key}}}"
        if len(text) + text.count(place) * len(shown) > LONGEST:
            msg = f"its text would be longer than {LONGEST} characters"
            raise ValueError(msg)
        text = text.replace(place, shown)


def _details(line: Line) -> InitErrorDetails:
    if line.template is not None:
        kind: Any = PydanticCustomError(line.type, line.template, line.context or None)
        return InitErrorDetails(type=kind, loc=line.loc, input=line.input)
    details = InitErrorDetails(type=line.type, loc=line.loc, input=line.input)
    if line.context:
        details["ctx"] = line.context
    return details
