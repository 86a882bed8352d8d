"""Every construct stands in every position, and every name of the language is used, in some case."""

import sys

import pytest

from tests.support.coverage_table import counted, shown


def test_the_table_has_no_empty_cell(capsys: pytest.CaptureFixture[str]) -> None:
    table = counted()
    with capsys.disabled():
        sys.stdout.write("\n" + shown(table) + "\n")
    assert table.empty_cells() == []
    assert table.missing_nodes() == []
    assert table.unused_names() == []
