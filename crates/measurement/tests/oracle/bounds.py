"""Where do group-sequential bounds lie: the published ones, and those of an independent computation?

    pip install scipy numpy
    python bounds.py > bounds.csv

Published (two-sided 0.05, Lan-DeMets spending with O'Brien-Fleming's shape on each side):
- gsDesign 3, gsDesign(k = 3 and 4, test.type = 1, alpha = 0.025, sfu = sfLDOF)$upper$bound
- RTSA 0.2.2, four looks, to more digits
The five looks of ld98 (Reboussin, DeMets, Kim and Lan: 4.8769, 3.3569, 2.6803, 2.2898, 2.0310) are left out: their
second is 3.35701 by all other programs, which is farther away than its digits say.

Computed: Brownian motion at the looks is multivariate normal; the chance to have stayed inside all bounds
before and pass the present one is integrated by SciPy on a fine grid with Simpson's rule, and the bound is
found by Brent's method. Nothing is shared with the Rust code but the spending function.
"""

import numpy as np
from scipy.integrate import simpson
from scipy.optimize import brentq
from scipy.stats import norm

PUBLISHED = [
    ("gsdesign", 0.95, [1 / 3, 2 / 3, 1], [3.710303, 2.511427, 1.993048]),
    ("gsdesign", 0.95, [0.25, 0.5, 0.75, 1], [4.332634, 2.963131, 2.359044, 2.014090]),
    (
        "rtsa",
        0.95,
        [0.25, 0.5, 0.75, 1],
        [4.332633646049564, 2.963130674316038, 2.359044357300598, 2.014090359906189],
    ),
]


def spent(level, t):
    return 2 * norm.sf(norm.isf((1 - level) / 4) / np.sqrt(t))


def bounds(level, looks, points=6001):
    found, grid, density, before, time = [], None, None, 0.0, 0.0
    for t in looks:
        deviation = np.sqrt(t - time)
        spend, before, time = spent(level, t) - before, spent(level, t), t

        def past(z):
            far = norm.sf((z * np.sqrt(t) - (0.0 if grid is None else grid)) / deviation)
            return far if grid is None else simpson(far * density, x=grid)

        z = brentq(lambda z: np.log(past(z) / spend), 0.1, 8.5, xtol=1e-13)
        found.append(z)
        new = np.linspace(-z * np.sqrt(t), z * np.sqrt(t), points)
        if grid is None:
            density = norm.pdf(new / deviation) / deviation
        else:
            at = [
                simpson(density * norm.pdf((x - grid) / deviation) / deviation, x=grid) for x in new
            ]
            density = np.array(at)
        grid = new
    return found


CASES = [
    (0.95, [k / 10 for k in range(1, 11)]),
    (0.95, [0.15, 0.2, 0.55, 0.6, 0.98]),
    (0.9, [0.3, 0.31, 0.7, 1.0]),
    (0.99, [0.25, 0.5, 0.75, 1.0]),
    (0.8, [0.05, 0.9, 1.0]),
    (0.95, [0.2, 0.4, 0.6, 0.8, 1.0]),
]

if __name__ == "__main__":
    print("source,level,fractions,bounds")
    for source, level, looks, expect in PUBLISHED:
        print(source, level, " ".join(map(repr, looks)), " ".join(map(repr, expect)), sep=",")
    for level, looks in CASES:
        found = [float(z) for z in bounds(level, looks)]
        print("scipy", level, " ".join(map(repr, looks)), " ".join(map(repr, found)), sep=",")
