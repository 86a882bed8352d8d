"""Whatever goes wrong in a request in; a page with its status that says what to do out."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any

import psycopg
from falcon import HTTPError, HTTPNotFound
from falcon.asgi import App, Request, Response

from waymark_schema.database.faults import Fault, classify
from waymark_schema.errors import DatabaseError
from waymark_web import htmx, pages
from waymark_web.paging import BadParameter

_log = logging.getLogger("waymark.web")
_SCHEMA_STATES = frozenset({"42P01", "42703", "3F000", "42883"})
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """What a person reads: a status, a title, paragraphs."""

    status: int
    title: str
    paragraphs: tuple[str, ...]
    detail: str = ""


def install(app: App[Request, Response]) -> None:
    """Let every error of every resource become a page of ours."""
    app.add_error_handler(Exception, _answer)
    # Falcon has its own for these, and the nearest class wins.
    app.add_error_handler(HTTPError, _answer)


async def _answer(
    req: Request,
    resp: Response | None,
    error: Exception,
    _params: dict[str, Any],
    **_more: Any,
) -> None:
    if resp is None:
        raise error
    problem = explain(error)
    if problem.status == _SERVER_ERROR:
        _log.error(
            "%s %s failed, reference %s", req.method, req.path, problem.detail, exc_info=error
        )
    resp.status = problem.status
    if isinstance(error, HTTPError) and error.headers:
        resp.set_headers(error.headers)
    resp.content_type = "text/html; charset=utf-8"
    resp.cache_control = ["no-store"]
    if htmx.wants_fragment(req.get_header):
        resp.text = pages.problem_fragment(problem.title, problem.paragraphs)
    else:
        resp.text = pages.problem(problem.title, problem.paragraphs, detail=problem.detail)


def explain(error: Exception) -> Problem:
    """Find the words for an error; what is nobody's fault but ours gets a reference into the log."""
    if isinstance(error, BadParameter):
        return Problem(
            400,
            "This address cannot be read",
            (f"{error}.", "Correct the address, or start again from the runs."),
        )
    if isinstance(error, HTTPNotFound):
        said = (error.description,) if error.description else ("There is no page at this address.",)
        return Problem(404, "Not found", (*said, "Start again from the runs."))
    if isinstance(error, HTTPError):
        return Problem(
            error.status_code,
            error.title or "This request was refused",
            (error.description or "Start again from the runs.",),
        )
    if isinstance(error, DatabaseError):
        return _unavailable(*str(error).splitlines())
    if isinstance(error, psycopg.Error | OSError):
        problem = _of_the_driver(error)
        if problem is not None:
            return problem
    return Problem(
        500,
        "Something went wrong on our side",
        (
            "The log of the web server has the details under the reference below.",
            "Nothing that runs is affected: this application only looks.",
        ),
        detail=secrets.token_hex(4),
    )


def _of_the_driver(error: psycopg.Error | OSError) -> Problem | None:
    if isinstance(error, psycopg.Error) and error.sqlstate in _SCHEMA_STATES:
        return _unavailable(
            "The tables in the database are not those that this version of Waymark needs.",
            "Start a worker pool, which creates and upgrades them, or run: waymark migrate up",
        )
    match classify(error):
        case Fault.LOST:
            return _unavailable("The connection to the database was lost.")
        case Fault.TRANSIENT:
            return _unavailable("The database could not answer now: it is busy or out of room.")
        case _:
            return None


def _unavailable(*said: str) -> Problem:
    again = "This page comes back by itself: reload it, or leave it open."
    return Problem(503, "The database cannot be used at the moment", (*said, again))
