"""Text for whoever looks on in; the same on a terminal, as long as there is one, out."""

from contextlib import suppress

import click


def tell(text: str, *, err: bool = False) -> None:
    """Print; a terminal that was closed, or a pipe that nobody reads, must not keep us from ending."""
    with suppress(OSError):
        click.echo(text, err=err)


def say(heading: str, text: str) -> None:
    """Print one line of `waymark dev` itself."""
    tell(f"{heading:<9} {text}")
