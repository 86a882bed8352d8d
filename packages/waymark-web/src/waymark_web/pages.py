"""A template's name and a view in, HTML out; everything is escaped unless our own code made it."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from waymark_web import htmx
from waymark_web.static import assets
from waymark_web.views.words import clean

REFRESH_SECONDS = 2.0


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("waymark_web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(
        asset=lambda name: assets()[name].url,
        htmx_configuration=htmx.configuration,
        refreshes=lambda url: htmx.refreshes(url, seconds=REFRESH_SECONDS),
        keeps=htmx.keeps,
        notice=htmx.NOTICE,
    )
    environment.filters["clean"] = clean
    return environment


def page(template: str, *, path: str, view: object) -> str:
    """The whole page around what `template` says; `path` marks the place in the navigation."""
    return _environment().get_template("page.html").render(content=template, path=path, view=view)


def fragment(template: str, *, view: object) -> str:
    """The part of the page that changes, as the page contains it, for htmx."""
    html = _environment().get_template("fragment.html").render(content=template, view=view)
    # str: added to a plain string, Markup would escape that string.
    return html + str(htmx.clears_notice())


def problem(title: str, paragraphs: tuple[str, ...], *, detail: str = "") -> str:
    """A whole page that says what is wrong and what to do."""
    template = _environment().get_template("problem.html")
    return template.render(title=title, paragraphs=paragraphs, detail=detail, path="")


def problem_fragment(title: str, paragraphs: tuple[str, ...]) -> str:
    """The same for a place within a page that htmx refreshes."""
    template = _environment().get_template("problem_fragment.html")
    return template.render(title=title, paragraphs=paragraphs)
