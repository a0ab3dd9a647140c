"""How it is measured: contenders take turns in rounds, and ratios are those within a round."""

import statistics
import typing

from generators import Run


class Cost(typing.NamedTuple):
    cpu_us: float  # of the program under load, per request
    rate: float    # requests per second
    p99_us: float


def load(program, generator, *args, **options):
    """One run of a generator against a program."""
    before = program.cpu_s()
    run: Run = generator(*args, **options)
    return Cost((program.cpu_s() - before) * 1e6 / run.requests, run.rate, run.p99_us)


def contender(program, generator, *args, **options):
    return lambda: load(program, generator, *args, **options)


def rounds(report, count, contenders):
    """Runs every contender once per round, in turns that go to and fro so that no place in the
    order is an advantage; returns name → list of results. One that fails is reported and dropped,
    so that the others' figures are there all the same."""
    results = {name: [] for name in contenders}
    for i in range(count):
        for name in list(results)[::1 if i % 2 == 0 else -1]:
            try:
                results[name].append(contenders[name]())
            except (RuntimeError, OSError, ValueError) as e:
                report.trouble(f"{name}: {e}")
                del results[name]
    return results


def ratios(results, ours, theirs, what):
    """Of the rounds' pairs, sorted; what: the field that is compared."""
    return sorted(getattr(a, what) / getattr(b, what)
                  for a, b in zip(results[ours], results[theirs]))


def median(results, name, what):
    return statistics.median(getattr(r, what) for r in results[name])
