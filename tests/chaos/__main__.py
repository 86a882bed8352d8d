"""`--minutes N --seed S [--faults F1,F3]` in; rounds of faults, their progress and the table out."""

from __future__ import annotations

import argparse
import itertools
import json
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import FrameType

from tests.chaos import table
from tests.chaos.fault import Fault
from tests.chaos.faults import FAULTS
from tests.chaos.rounds import Size, play
from tests.chaos.server import ChaosServer
from tests.chaos.table import BEHIND, Round
from tests.support.pgbouncer import PACKAGE, pgbouncer

WITHOUT_POOLER = f"NO ROUND RUNS {BEHIND.upper()}: install {PACKAGE}"


def _arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Run workflows on several pools while faults strike; tell what was lost or came twice.",
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="how long, about (default 5)")
    parser.add_argument("--seed", type=int, help="repeats the choices of another run")
    parser.add_argument(
        "--faults", default="", help="some of them, such as F1,F3; each alone, then combined"
    )
    parser.add_argument(
        "--together", action="store_true", help="only rounds with all of --faults at once"
    )
    parser.add_argument("--rounds", type=int, help="end after so many rounds")
    parser.add_argument("--pools", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2, help="of each pool")
    parser.add_argument("--seconds", type=float, help="how long faults strike in a round")
    parser.add_argument(
        "--pooler",
        type=int,
        default=4,
        metavar="N",
        help="every Nth round runs behind PgBouncer; 0: none, 1: all (default 4)",
    )
    parser.add_argument("--json", type=Path, help="write every round to this file")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file")
    parser.add_argument("--folder", type=Path, help="where evidence is kept (default: a new one)")
    parser.add_argument("--keep", action="store_true", help="keep the evidence of good rounds too")
    parser.add_argument("--list", action="store_true", help="show all faults and end")
    return parser.parse_args(given)


def main(given: list[str]) -> int:
    """Run rounds until the time is over; 1 if anything was found."""
    chosen = _arguments(given)
    if chosen.list:
        for name, fault in FAULTS.items():
            print(f"{name:4} {fault.title}{_why_not(fault)}")
        return 0
    seed = secrets.randbelow(10**9) if chosen.seed is None else chosen.seed
    faults = _usable(chosen.faults)
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="waymark-chaos-"))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    print(
        f"seed {seed}, {chosen.minutes:g} minutes, {', '.join(f.name for f in faults)}", flush=True
    )
    if chosen.pooler and not pgbouncer():
        print(WITHOUT_POOLER, flush=True)
    rounds: list[Round] = []
    interrupted = False
    try:
        _play(chosen, seed, faults, folder, rounds)
    except KeyboardInterrupt:
        interrupted = True
        print("interrupted", flush=True)
    return _report(chosen, seed, folder, rounds) or (130 if interrupted else 0)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End everything, once: what ends it must not be interrupted by a second signal."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _usable(names: str) -> list[type[Fault]]:
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(FAULTS)
    unknown = [name for name in wanted if name not in FAULTS]
    if unknown:
        sys.exit(f"no fault is named {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    usable = []
    for name in wanted:
        if reason := FAULTS[name].missing():
            print(f"{name} is left out: {reason}", flush=True)
        else:
            usable.append(FAULTS[name])
    return usable


def _why_not(fault: type[Fault]) -> str:
    reason = fault.missing()
    return f" (not here: {reason})" if reason else ""


def _play(
    chosen: argparse.Namespace,
    seed: int,
    faults: list[type[Fault]],
    folder: Path,
    rounds: list[Round],
) -> None:
    deadline = time.monotonic() + chosen.minutes * 60
    server = ChaosServer.start_in()
    try:
        turns = _turns(faults, seed, together=chosen.together, pooler=_pooler(chosen))
        for number, (kinds, pooler) in enumerate(turns, start=1):
            if time.monotonic() >= deadline or number > (chosen.rounds or number):
                return
            played = play(
                [kind() for kind in kinds],
                number=number,
                seed=f"{seed}/{number}",
                shared=server,
                folder=folder / f"round-{number}",
                size=Size(chosen.pools, chosen.workers, chosen.seconds, pooler=pooler),
                keep=chosen.keep,
            )
            rounds.append(played)
            _tell(played)
    finally:
        server.close()


def _pooler(chosen: argparse.Namespace) -> int:
    """Every how manieth round runs behind a pooler."""
    return chosen.pooler if pgbouncer() else 0


def _turns(
    faults: list[type[Fault]], seed: int, *, together: bool, pooler: int
) -> Iterator[tuple[list[type[Fault]], bool]]:
    """The faults of each round, and whether it runs behind a pooler; those that do go through all faults by themselves."""
    direct = _choices(faults, seed, together=together)
    behind = _choices(faults, f"{seed}/{PACKAGE}", together=together)
    for number in itertools.count(1):
        pooled = pooler > 0 and number % pooler == 0
        yield next(behind if pooled else direct), pooled


def _choices(
    faults: list[type[Fault]], seed: int | str, *, together: bool
) -> Iterator[list[type[Fault]]]:
    """Each fault alone; then, for as long as there is time, combinations and single ones by chance."""
    chance = Random(seed)
    mixable = [fault for fault in faults if not fault.alone]
    if not together:
        yield from ([fault] for fault in faults)
    while True:
        if together:
            yield list(faults)
        elif len(mixable) > 1 and chance.random() < 0.6:
            yield chance.sample(mixable, chance.randint(2, min(3, len(mixable))))
        else:
            yield [chance.choice(faults)]


def _tell(played: Round) -> None:
    took = f"{table.struck([played])} strikes, {played.workflows} workflows, {played.steps} steps"
    pause = f"worst pause {played.worst_pause:.1f} s, {played.seconds:.0f} s in all"
    verdict = "ok" if played.good else f"{len(played.findings)} FINDINGS, see {played.evidence}"
    print(f"round {played.number} {played.label}: {took}; {pause}; {verdict}", flush=True)
    for finding in played.findings[:5]:
        print(f"    {finding.kind}: {finding.run} {finding.text}", flush=True)
    for note in played.notes[:5]:
        print(f"    {note}", flush=True)


def _report(chosen: argparse.Namespace, seed: int, folder: Path, rounds: list[Round]) -> int:
    titles = {name: fault.title for name, fault in FAULTS.items()}
    if rounds:
        print("\n" + table.text(rounds, titles), flush=True)
        behind = sum(each.pooler for each in rounds)
        said = f"{behind} of {len(rounds)} rounds ran {BEHIND}"
        print(f"\n{said if pgbouncer() or not chosen.pooler else WITHOUT_POOLER}", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(table.as_data(rounds), indent=1), encoding="utf-8")
    if chosen.markdown:
        chosen.markdown.write_text(table.markdown(rounds, titles), encoding="utf-8")
    if all(each.good for each in rounds):
        if not (chosen.folder or chosen.keep):
            shutil.rmtree(folder, ignore_errors=True)
        return 0
    print(f"\nFAILED; evidence is kept in {folder}; repeat with --seed {seed}", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
