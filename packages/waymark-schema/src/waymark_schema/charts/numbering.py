"""A chart in; the same with an id on every node, ``f0.3`` for the fourth of function 0, out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec

from waymark_schema.charts.nodes import (
    Arm,
    Chart,
    Choice,
    FunctionChart,
    Guarded,
    Loop,
    Node,
    Scope,
    Together,
)


def numbered(chart: Chart) -> Chart:
    """Number the nodes of each function in reading order."""
    return msgspec.structs.replace(chart, functions=[_function(one) for one in chart.functions])


def _function(function: FunctionChart) -> FunctionChart:
    ids = (f"f{function.number}.{count}" for count in itertools.count())
    return msgspec.structs.replace(function, body=_nodes(function.body, ids))


def _nodes(nodes: list[Node], ids: Iterator[str]) -> list[Node]:
    return [_node(node, ids) for node in nodes]


def _node(node: Node, ids: Iterator[str]) -> Node:
    node = msgspec.structs.replace(node, id=next(ids))
    match node:
        case Choice() | Together():
            return msgspec.structs.replace(node, arms=_arms(node.arms, ids))
        case Loop():
            body = _nodes(node.body, ids)
            return msgspec.structs.replace(node, body=body, otherwise=_nodes(node.otherwise, ids))
        case Scope():
            return msgspec.structs.replace(node, body=_nodes(node.body, ids))
        case Guarded():
            return msgspec.structs.replace(
                node,
                body=_nodes(node.body, ids),
                handlers=_arms(node.handlers, ids),
                otherwise=_nodes(node.otherwise, ids),
                at_last=_nodes(node.at_last, ids),
            )
        case _:
            return node


def _arms(arms: list[Arm], ids: Iterator[str]) -> list[Arm]:
    return [msgspec.structs.replace(arm, body=_nodes(arm.body, ids)) for arm in arms]
