"""Every construct stands in every position, and every name of the language is used, in some case.

``python -m tests.support.coverage_table`` prints the table, as ``.ci/run`` does.
"""

from tests.support.coverage_table import counted


def test_the_table_has_no_empty_cell() -> None:
    table = counted()
    assert table.empty_cells() == []
    assert table.missing_nodes() == []
    assert table.unused_names() == []
