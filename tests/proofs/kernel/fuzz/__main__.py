"""The long run: `python -m tests.proofs.kernel.fuzz --facts 100000 --jobs 2`. Exit status 1: a false fact."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.proofs.kernel.fuzz.run import Tally, run

PORTION = 500  # judged facts between two lines of progress


def main() -> int:
    parser = argparse.ArgumentParser(description="Random scripts over every rule of the kernel, each fact judged.")
    parser.add_argument("--facts", type=int, default=10_000, help="how many facts to judge")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9, help="to reproduce a run")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="when to end")
    parser.add_argument("--rules", nargs="*", default=(), help="the rules to try, all by default")
    parser.add_argument("--first", action="store_true", help="end at the first false fact")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    total, start = Tally(), time.monotonic()
    broken: list[Exception] = []
    portions = -(-options.facts // PORTION)
    end = time.time() + options.seconds
    arguments = [(options.seed + k * 10**6, PORTION, tuple(options.rules), end, options.first) for k in range(portions)]
    if options.jobs == 1:
        for given in arguments:
            total.add(_portion(*given))
            if time.time() > end or (options.first and total.false):
                break
    else:
        with ProcessPoolExecutor(options.jobs) as pool:
            for done in as_completed([pool.submit(_portion, *given) for given in arguments]):
                try:
                    total.add(done.result())
                except Exception as reason:  # the other portions still count
                    broken.append(reason)
                    print(f"a script broke off: {reason!r}", *getattr(reason, "__notes__", []), flush=True)
                spent = time.monotonic() - start
                print(f"{total.judged.total()} judged, {total.false_count} false, {spent:.0f} s", flush=True)
    print(total.table())
    for line in [line for found in total.false.values() for line in found[:3]]:
        print(line)
    return 1 if total.false or broken else 0


def _portion(seed: int, facts: int, rules: tuple[str, ...], end: float, first: bool) -> Tally:
    return run(seed, facts, rules, lambda tally: time.time() > end or (first and bool(tally.false)))


if __name__ == "__main__":
    sys.exit(main())
