"""Faults and a seed in; what was lost, what was committed twice and how long anything stood still, out.

`python -m tests.chaos --minutes N --seed S [--faults F1,F3]`, or `nox -s chaos -- …` with the same
arguments. `--list` names the faults.

Every fourth round (`--pooler N`) runs its pools and its load behind PgBouncer in transaction mode; faults need not
know it. `setting.pool_url` leads to the pooler then, `setting.url` never does, and what lies between pooler and
server is `setting.beyond_pooler`.

A **round** (`rounds.py`) has a database of its own. Several pools run on it and a **load** (`client.py`)
keeps a number of workflows unfinished, started and awaited through a bridge as an application does. Meanwhile
the faults of the round strike. Then all harm is mended, the load is waited for, and one oracle judges:

* what plain CPython makes of every workflow (`oracle.py`): its result or error, and how many calls it makes;
* the **ledger** (`ledger.py`), a file to which every attempt of an action appends that it begins and ends;
* the journal and all other tables (`evidence.py`, `checks.py`). The server keeps commit timestamps, so that
  "began again after its commit" and "began before the outcome that led to it was committed" are computed.

To add a **fault**: write a class that extends `Fault` (`fault.py`), with `name` and `title`, in a module of
`tests/chaos/faults/`, and add it to `FAULTS` there. A round calls, in this order:

| method | when | for what |
| --- | --- | --- |
| `missing()` | before anything | a text if something must be installed first; the fault is left out then |
| `serve(shared)` | before the database is made | return another `ChaosServer` (`ChaosServer.start_in(folder, options=…)`) for this round |
| `prepare(setting, chance)` | before pools and load start | `setting.pool_url` (a proxy), `variables`, `pools` (a command and variables for each), `patches`, `extra` workflows |
| `strike(arena, chance)` | many times, under load | harm; `arena.wait_for_work` waits for progress, `arena.kill…`, `arena.query`, `arena.setting.server` |
| `mend(arena)` | once | end all harm: every run must be able to finish |
| `struck(arena)` | when nothing runs any more | how often it did harm, for the table: by default how often `strike` was called |
| `close()` | when nothing runs any more | end what `serve` and `prepare` made |

A fault that only sets the scene needs no `strike`; what it does is counted in `struck`, or not at all. All chance
comes from the Random that is handed in. A fault that kills a pool says so (`arena.kill_pool`, `arena.end_pool`, or
`pool.ended_by_fault = True`): a pool that ends without is a finding. It need not start it again: the round keeps
the number of pools. What a fault sees that must not be goes into `arena.broken`. Figures go into
`arena.measured(name, seconds)` and are shown under the table, those of combined rounds by themselves.

`setting.patches` names functions (`module:function`) that run in every process of every pool at its start:
failpoints and planted bugs are made that way, none is in the product.
"""
