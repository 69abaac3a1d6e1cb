"""What do EASE and implicit ALS come to, by plain NumPy in double precision?

    pip install numpy
    python factors.py > factors.json

EASE's weights are Steck's equation (8), by NumPy's inverse. ALS starts from the numbers that the crate draws
(SplitMix64 of seed, customer and factor) and solves every row by itself, as the papers write it: the normal
equations, or so many steps of conjugate gradients from where the row stood.
"""

import json

import numpy as np

CUSTOMERS, PRODUCTS, FACTORS, ITERATIONS, STEPS, SEED = 40, 25, 5, 4, 3, 7
LAMBDA, CONFIDENCE, REGULARISATION = 2.5, 8.0, 0.02
MASK = (1 << 64) - 1


def mixed(number):
    z = (number + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def drawn(customer, factor):
    bits = mixed((mixed(mixed(SEED) ^ customer) + factor) & MASK) >> 40
    return (bits / (1 << 24) - 0.5) / np.sqrt(FACTORS)


def normal_equations(row, weights, others, cost):
    matrix = others.T @ others + (others.T * weights) @ others + cost * np.eye(FACTORS)
    return np.linalg.solve(matrix, others.T @ ((1 + weights) * (weights > 0)))


def conjugate_gradients(row, weights, others, cost):
    matrix = others.T @ others + (others.T * weights) @ others + cost * np.eye(FACTORS)
    rest = others.T @ ((1 + weights) * (weights > 0)) - matrix @ row
    direction = rest
    for _ in range(STEPS):
        along = matrix @ direction
        step = (rest @ rest) / (direction @ along)
        row = row + step * direction
        left = rest - step * along
        direction = left + (left @ left) / (rest @ rest) * direction
        rest = left
    return row


def half(solve, rows, weights, others, power):
    solved = []
    for row, own in zip(rows, weights):
        cost = REGULARISATION * (len(others) + own.sum()) ** power
        solved.append(solve(row, own, others, cost) if own.any() else np.zeros(FACTORS))
    return np.array(solved)


def scores(lines, solve, power):
    weights = CONFIDENCE * np.log2(1 + lines)
    customers = [[drawn(at, factor) for factor in range(FACTORS)] if lines[at].any() else [0] * FACTORS for at in range(CUSTOMERS)]
    customers, products = np.array(customers, dtype=float), np.zeros((PRODUCTS, FACTORS))
    for _ in range(ITERATIONS):
        products = half(solve, products, weights.T, customers, power)
        customers = half(solve, customers, weights, products, power)
    return customers @ products.T


def main():
    rng = np.random.default_rng(3)
    tastes = rng.gamma(0.6, 1.0, (CUSTOMERS, 3)) @ rng.gamma(0.5, 1.0, (3, PRODUCTS))
    lines = rng.poisson(0.4 * tastes)
    # A customer and a product without lines.
    lines[4], lines[:, 9] = 0, 0
    bought = (lines > 0).astype(float)
    taken = bought[:, bought.any(axis=0)]
    inverse = np.linalg.inv(taken.T @ taken + LAMBDA * np.eye(taken.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    found = {
        "lines": [[int(c), int(p), int(lines[c, p])] for c, p in np.argwhere(lines)],
        "customers": CUSTOMERS,
        "products": PRODUCTS,
        "ease": {"regularisation": LAMBDA, "products": np.flatnonzero(bought.any(axis=0)).tolist(), "weights": weights.tolist()},
        "als": {"factors": FACTORS, "iterations": ITERATIONS, "steps": STEPS, "seed": SEED,
                "confidence": CONFIDENCE, "regularisation": REGULARISATION, "scores": {}},
    }
    for name, solve, power in (("cholesky", normal_equations, 1.0), ("conjugate gradient", conjugate_gradients, 0.0)):
        found["als"]["scores"][name] = scores(lines, solve, power).tolist()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
