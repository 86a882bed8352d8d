"""Names of the standard library that a workflow may use, by how the machine carries them out. Data only."""

from __future__ import annotations

CLOCKS = (
    "datetime.datetime.now datetime.datetime.today datetime.datetime.utcnow datetime.date.today"
    " time.time time.time_ns uuid.uuid4"
).split()
"""Each call records its value in the journal."""

RANDOM = [
    f"random.{name}"
    for name in (
        "betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits"
        " lognormvariate normalvariate paretovariate randbytes randint random randrange sample shuffle"
        " triangular uniform vonmisesvariate weibullvariate"
    ).split()
]
"""Drawn from a generator whose seed is recorded, once for each advance of the machine that draws."""

RECORDED = (*CLOCKS, *RANDOM)
"""Names whose value differs each time: recorded, so that a recovery sees the same."""

NAMES = RECORDED
"""Every name here that can be called."""
