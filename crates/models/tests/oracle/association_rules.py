"""Which rules does mlxtend find in some orders, at five thresholds? Writes association_rules.json.

pip install mlxtend==0.25.0 pandas; python association_rules.py
"""

import json

import numpy as np
import pandas as pd
from mlxtend.frequent_patterns import association_rules, fpgrowth
from mlxtend.preprocessing import TransactionEncoder

rng = np.random.default_rng(3)
types = 24
weight = 1 / np.arange(1, types + 1) ** 0.7
orders = []
for _ in range(400):
    size = 1 + rng.poisson(3)
    basket = set(rng.choice(types, size=min(size, types), replace=False, p=weight / weight.sum()).tolist())
    if 2 in basket and rng.uniform() < 0.7:
        basket.add(9)
    if {1, 5} <= basket and rng.uniform() < 0.8:
        basket.add(14)
    orders.append(sorted(basket))
encoder = TransactionEncoder()
table = pd.DataFrame(encoder.fit_transform(orders), columns=encoder.columns_)
cases = []
for support, confidence in ((0.3, 0.1), (0.1, 0.3), (0.05, 0.5), (0.02, 0.4), (0.01, 0.6)):
    itemsets = fpgrowth(table, min_support=support, use_colnames=True)
    rules = association_rules(itemsets, metric="confidence", min_threshold=confidence)
    cases.append(dict(
        min_support=support, min_confidence=confidence, itemsets=len(itemsets),
        rules=sorted(
            [sorted(map(int, r.antecedents)), sorted(map(int, r.consequents)),
             float(r.support), float(r.confidence), float(r.lift)]
            for r in rules.itertuples()
        ),
    ))
    print(support, confidence, len(itemsets), len(rules))
json.dump(dict(orders=orders, cases=cases), open("association_rules.json", "w"))
