"""Requests in, statements run, responses out: no SQL and no markup."""

from __future__ import annotations

from falcon.asgi import Request, Response

from waymark_web import htmx, pages
from waymark_web.paging import BadParameter

MEDIA_HTML = "text/html; charset=utf-8"


def answer(req: Request, resp: Response, template: str, view: object) -> None:
    """Answer with the whole page, or with the part of it that htmx refreshes."""
    resp.content_type = MEDIA_HTML
    resp.append_header("Vary", htmx.VARY)
    if htmx.wants_fragment(req.get_header):
        resp.text = pages.fragment(template, view=view)
    else:
        resp.text = pages.page(template, path=req.path, view=view)


def parameters(req: Request) -> dict[str, str]:
    """The query of a request, each name once.

    Raises BadParameter.
    """
    found: dict[str, str] = {}
    for name, value in req.params.items():
        if not isinstance(value, str):
            msg = f"{name[:80]} is given {len(value)} times; expected it once"
            raise BadParameter(msg)
        found[name] = value
    return found
