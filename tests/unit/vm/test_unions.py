"""Unions of classes: made of classes that count themselves, and kept in snapshots."""

from waymark_worker.vm.arithmetic import BINARY
from waymark_worker.vm.snapshot_writer import WRITERS


class Shelf:
    """Something with a length, of which its class has none."""

    def __len__(self) -> int:
        raise AssertionError


def test_a_class_with_a_length_can_stand_in_a_union() -> None:
    assert BINARY["|"](Shelf, int) == Shelf | int


def test_a_union_has_a_stored_form() -> None:
    assert type(Shelf | None) in WRITERS
