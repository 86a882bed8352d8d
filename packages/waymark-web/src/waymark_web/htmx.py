"""What htmx asks and is told: request headers and addresses in, its headers and attributes out.

The only place that spells ``HX-`` and ``hx-``.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from markupsafe import Markup

VARY = "HX-Request"
"""A page and its fragment share one address, so caches must look at this header."""

NOTICE = "notice"
"""Id of the place in every page where a failed refresh is told of."""

# No inline style and no eval: the pages work under `default-src 'self'`. A failed refresh leaves what is
# shown and says so beside it; only what no longer exists is replaced, which also ends its refreshing.
CONFIGURATION = {
    "includeIndicatorStyles": False,
    "allowEval": False,
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
    "selfRequestsOnly": True,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "404", "swap": True},
        {"code": "[45]..", "swap": True, "target": f"#{NOTICE}", "swapOverride": "innerHTML"},
    ],
}


def wants_fragment(header: Callable[[str], str | None]) -> bool:
    """Whether a request asks for the part of the page that changes, not for the whole page.

    >>> wants_fragment({"HX-Request": "true"}.get)
    True
    """
    return header("HX-Request") == "true" and header("HX-History-Restore-Request") != "true"


def configuration() -> Markup:
    """The meta element that configures htmx."""
    return Markup('<meta name="htmx-config" content="{}">').format(json.dumps(CONFIGURATION))


def refreshes(url: str, *, seconds: float) -> Markup:
    """Attributes of an element that replaces itself with what `url` answers, again and again.

    >>> print(refreshes("/?state=failed&x=1", seconds=2))
    hx-get="/?state=failed&amp;x=1" hx-trigger="every 2s" hx-swap="outerHTML"
    """
    return Markup('hx-get="{}" hx-trigger="every {}s" hx-swap="outerHTML"').format(
        url, f"{seconds:g}"
    )


def keeps() -> Markup:
    """Attribute of an element with an id whose content never changes: a refresh leaves it as it is, opened too."""
    return Markup("hx-preserve")


def clears_notice() -> Markup:
    """What a successful refresh sends along: an empty place for notices."""
    return Markup('<div id="{}" class="notice" role="status" hx-swap-oob="true"></div>').format(
        NOTICE
    )
