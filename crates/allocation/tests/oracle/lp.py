"""What is the optimum of the linear relaxation of small allocation problems?

Makes the problems from their seeds as tests/lp.rs does, number by number, solves each with HiGHS and
writes lp.csv beside this file. Needs `pip install highspy==1.15.1`; run `python3 lp.py`.

Offers that a rule keeps out whatever else is offered are left out of the relaxation: flags, store,
channel, slot kind, minimum value, a contact that costs more than the offer brings, a cap of 0, and a cost
above a whole budget, in cost or in margin. A floor may be missed, which costs so much per offer.

Every kind of constraint is in many of the instances: the columns count the limits of each kind that bind.
"""

import csv
import pathlib

import highspy

MASK = (1 << 64) - 1
SLOTS = 3
INSTANCES = 50
KINDS = ["cap", "budget", "total", "shared", "margin", "floor"]


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
    # The budget, whether it is one of margin, and bits of promotions: bit p for promotion p.
    budgets = [
        (draw.below(n * 30), draw.below(100) < 50, draw.below(1 << m)) for _ in range(draw.below(3))
    ]
    floors = []
    for _ in range(draw.below(4)):
        named, group = draw.maybe(70, 1 << m), draw.maybe(60, 3)
        floors.append((named, group, draw.below(n // 3), draw.below(900)))
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
        groups, contact = draw.below(8), draw.maybe(40, 120)
        candidates = []
        for promotion in range(m):
            is_there = draw.below(100) < 80
            mask, value, cost = draw.below(8), draw.below(1000), draw.below(400)
            loss = draw.maybe(70, 400) or 0
            excluded = draw.below(100) < 5
            if is_there:
                candidates.append((promotion, mask, value, cost, loss, excluded))
        who = (most, blocked, store, channels, refused or 0, groups, contact or 0)
        customers.append((who, candidates))
    most = None if offers_max is None else offers_max + 1
    return slots, total, most, least, budgets, floors, promotions, customers


def open_mask(slots, promotion, customer, mask):
    _, _, _, stores, scope = promotion
    _, _, store, channels, refused, _, _ = customer
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
    """The optimum, and how many limits of each kind bind."""
    slots, total, offers_max, least, budgets, floors, promotions, customers = instance(seed)
    rows, objective = {}, []

    def row(name, lower, upper):
        return rows.setdefault(name, (lower, upper, []))[2]

    infinity = highspy.kHighsInf
    # One column per floor first: the offers that it misses.
    for f, (_, _, least_offers, miss) in enumerate(floors):
        row(("floor", f), least_offers, infinity).append((len(objective), 1))
        objective.append(-miss)
    for c, (customer, candidates) in enumerate(customers):
        most, blocked, _, _, _, groups, contact = customer
        most = min(most, SLOTS if offers_max is None else offers_max)
        if blocked or most == 0:
            continue
        for promotion, mask, value, cost, loss, excluded in candidates:
            cap, budget, group, _, _ = promotions[promotion]
            shared = [b for b, (_, _, named) in enumerate(budgets) if named >> promotion & 1]
            takes = {b: loss if budgets[b][1] else cost for b in shared}
            too_dear = any(limit is not None and cost > limit for limit in (budget, total))
            too_dear |= any(takes[b] > budgets[b][0] for b in shared)
            if excluded or cap == 0 or too_dear or value - contact < (least or 0):
                continue
            mask = open_mask(slots, promotions[promotion], customer, mask)
            for slot in range(SLOTS):
                if not mask >> slot & 1:
                    continue
                x = len(objective)
                objective.append(value - contact)
                row(("most", c), -infinity, most).append((x, 1))
                row(("slot", c, slot), -infinity, 1).append((x, 1))
                key = ("promotion", promotion) if group is None else ("group", group)
                row(("key", c, *key), -infinity, 1).append((x, 1))
                if cap is not None:
                    row(("cap", promotion), -infinity, cap).append((x, 1))
                if budget is not None:
                    row(("budget", promotion), -infinity, budget).append((x, cost))
                if total is not None:
                    row(("total",), -infinity, total).append((x, cost))
                for b in shared:
                    kind = "margin" if budgets[b][1] else "shared"
                    row((kind, b), -infinity, budgets[b][0]).append((x, takes[b]))
                for f, (named, of, _, _) in enumerate(floors):
                    is_named = named is None or named >> promotion & 1
                    if is_named and (of is None or groups >> of & 1):
                        row(("floor", f), None, None).append((x, 1))
    if not objective:
        return 0.0, dict.fromkeys(KINDS, 0)
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("threads", 1)
    for x, value in enumerate(objective):
        h.addVar(0.0, infinity if x < len(floors) else 1.0)
        h.changeColCost(x, -value)
    for lower, upper, entries in rows.values():
        h.addRow(lower, upper, len(entries), [x for x, _ in entries], [w for _, w in entries])
    h.run()
    assert h.getModelStatus() == highspy.HighsModelStatus.kOptimal
    prices = zip(rows, h.getSolution().row_dual)
    binding = [name[0] for name, price in prices if abs(price) > 1e-7]
    return -h.getInfo().objective_function_value, {kind: binding.count(kind) for kind in KINDS}


def main():
    with open(pathlib.Path(__file__).with_name("lp.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["seed", "candidates", "sum_value_minor", "lp_minor", *(f"{k}_binding" for k in KINDS)])
        for seed in range(INSTANCES):
            of_customers = [candidates for _, candidates in instance(seed)[-1]]
            values = [candidate[2] for candidates in of_customers for candidate in candidates]
            optimum, binding = solve(seed)
            out.writerow([seed, len(values), sum(values), f"{optimum:.9f}", *(binding[k] for k in KINDS)])


if __name__ == "__main__":
    main()
