"""`waymark-web` and `python -m waymark_web`: arguments in; a running server, or a clear first screen, out."""

from __future__ import annotations

from waymark_web.commands import web


def main() -> None:
    """Run the web application until SIGTERM."""
    web(prog_name="waymark-web")


if __name__ == "__main__":
    main()
