"""Which interval of a share has scipy, after Wilson?

    pip install scipy
Writes share.csv. Run: python3 share.py
"""

import pathlib

from scipy.stats import binomtest

rows = ["hits,units,level,low,high"]
for hits, units in [(0, 30), (1, 30), (15, 30), (30, 30), (944, 1_000), (1_900, 2_000), (3, 100_000), (99_999, 100_000)]:
    for level in (0.8, 0.95, 0.99):
        ci = binomtest(hits, units).proportion_ci(level, method="wilson")
        rows.append(f"{hits},{units},{level},{ci.low!r},{ci.high!r}".replace("np.float64(", "").replace(")", ""))
(pathlib.Path(__file__).parent / "share.csv").write_text("\n".join(rows) + "\n")
