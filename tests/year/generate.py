"""A year of one firm as a replay script: `python -m tests.year.generate > year.jsonl`.

Forty homes with what belongs to them. The same seed gives the same year.
"""

from __future__ import annotations

import argparse
import json
import random
import sys

from tests.year import complaints, homes, leads, people, shops, visits
from tests.year.plan import Year

SEED = 2026


def year(seed: int = SEED) -> Year:
    """The plan of a year."""
    found = Year(rng=random.Random(seed))
    homes.homes(found)
    complaints.complaints(found)
    leads.callers(found)
    people.people(found)
    shops.shops(found)
    visits.visits(found)
    return found


def script(plan: Year) -> str:
    """The plan as JSON Lines."""
    return "".join(json.dumps(act.line(), ensure_ascii=False) + "\n" for act in plan.acts())


def main() -> None:
    """Writes the script to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    sys.stdout.write(script(year(parser.parse_args().seed)))


if __name__ == "__main__":
    main()
