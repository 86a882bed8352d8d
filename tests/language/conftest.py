"""Every case of a file is compiled from one parsed text of it."""

from collections.abc import Iterator

import pytest

from waymark.compiler.source import shared_sources


@pytest.fixture(scope="session", autouse=True)
def _each_file_is_parsed_once() -> Iterator[None]:
    with shared_sources():
        yield
