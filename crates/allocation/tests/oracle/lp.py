"""What is the optimum of the linear relaxation of small allocation problems?

Makes the problems from their seeds as tests/lp.rs does, number by number, solves each with HiGHS and
writes lp.csv beside this file. Needs `pip install highspy==1.15.1`; run `python3 lp.py`.

Offers that a rule keeps out whatever else is offered are left out of the relaxation: flags, store,
channel, slot kind, minimum value, a cap of 0, and a cost above the whole budget.
"""

import csv
import pathlib

import highspy

MASK = (1 << 64) - 1
SLOTS = 3
INSTANCES = 50


class Numbers:
    """splitmix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % bound

    def maybe(self, percent, bound):
        """A number below the bound in so many cases of a hundred; always two draws."""
        hit, number = self.below(100) < percent, self.below(bound)
        return number if hit else None


def instance(seed):
    draw = Numbers(seed)
    n, m = 40 + draw.below(160), 5 + draw.below(12)
    slots = [draw.maybe(30, 3) for _ in range(SLOTS)]
    total = draw.maybe(50, n * 80)
    offers_max = draw.maybe(30, 3)
    least = draw.maybe(30, 200)
    promotions = []
    for _ in range(m):
        cap = draw.maybe(60, n // 3)
        budget = draw.maybe(40, n * 20)
        group = draw.maybe(40, 3)
        stores = draw.maybe(20, 8)
        channels = draw.maybe(20, 8)
        promotions.append((cap, budget, group, stores, channels))
    customers = []
    for _ in range(n):
        most = draw.below(4)
        blocked = draw.below(100) < 5
        store = draw.below(3)
        channels, refused = draw.below(8), draw.maybe(20, 8)
        candidates = []
        for promotion in range(m):
            is_there = draw.below(100) < 80
            mask, value, cost = draw.below(8), draw.below(1000), draw.below(400)
            excluded = draw.below(100) < 5
            if is_there:
                candidates.append((promotion, mask, value, cost, excluded))
        customers.append((most, blocked, store, channels, refused or 0, candidates))
    return slots, total, None if offers_max is None else offers_max + 1, least, promotions, customers


def open_mask(slots, promotion, customer, mask):
    _, _, _, stores, scope = promotion
    _, _, store, channels, refused, _ = customer
    if stores is not None and not stores >> store & 1:
        return 0
    result = 0
    for at, shown in enumerate(slots):
        if shown is None:
            is_open = scope is None or scope & channels != 0
        else:
            is_open = (7 if scope is None else scope) & ~refused & 1 << shown != 0
        result |= is_open << at
    return mask & result


def solve(seed):
    slots, total, offers_max, least, promotions, customers = instance(seed)
    rows, objective = {}, []

    def row(name, limit):
        return rows.setdefault(name, (limit, []))[1]

    for c, customer in enumerate(customers):
        most, blocked, _, _, _, candidates = customer
        most = min(most, SLOTS if offers_max is None else offers_max)
        if blocked or most == 0:
            continue
        for promotion, mask, value, cost, excluded in candidates:
            cap, budget, group, _, _ = promotions[promotion]
            too_dear = any(limit is not None and cost > limit for limit in (budget, total))
            if excluded or value <= 0 or cap == 0 or too_dear or (least is not None and value < least):
                continue
            mask = open_mask(slots, promotions[promotion], customer, mask)
            for slot in range(SLOTS):
                if not mask >> slot & 1:
                    continue
                x = len(objective)
                objective.append(value)
                row(("most", c), most).append((x, 1))
                row(("slot", c, slot), 1).append((x, 1))
                key = ("promotion", promotion) if group is None else ("group", group)
                row(("key", c, *key), 1).append((x, 1))
                if cap is not None:
                    row(("cap", promotion), cap).append((x, 1))
                if budget is not None:
                    row(("budget", promotion), budget).append((x, cost))
                if total is not None:
                    row(("total",), total).append((x, cost))
    if not objective:
        return 0.0
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("threads", 1)
    for value in objective:
        h.addVar(0.0, 1.0)
        h.changeColCost(h.getNumCol() - 1, -value)
    for limit, entries in rows.values():
        h.addRow(-highspy.kHighsInf, limit, len(entries), [x for x, _ in entries], [w for _, w in entries])
    h.run()
    assert h.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return -h.getInfo().objective_function_value


def main():
    with open(pathlib.Path(__file__).with_name("lp.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["seed", "candidates", "sum_value_minor", "lp_minor"])
        for seed in range(INSTANCES):
            of_customers = [customer[5] for customer in instance(seed)[5]]
            values = [candidate[2] for candidates in of_customers for candidate in candidates]
            out.writerow([seed, len(values), sum(values), f"{solve(seed):.9f}"])


if __name__ == "__main__":
    main()
