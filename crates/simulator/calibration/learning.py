"""How near to the oracle comes who learns from every answer as well as can be learnt?

    pip install numpy pandas pyarrow scipy
    tercet simulate --customers 5000 --products 5000 --promotions 550 --weeks 22 --seed 1 --out shop
    python crates/simulator/calibration/learning.py shop

Ten weeks behind the first twelve: every customer who buys at all gets the three promotions with the largest expected
effect, answers by the shop's truth, and what each customer would like and how responsive it is is known a little better
the week after, by Bayes' rule (what a product type is to a customer and the responsiveness are taken to be independent).
Of every offer it is seen without error whether it brought a line, which no shop sees. Whoever ranks knows the truth of
the world's parameters and of promotions' appeals (or only their depths), and of customers either the segments or what
the tables show. What offers are expected to bring is shown as a share of what the oracle's three would. What
is bought is seen as topics alone, and browsing not at all: no proof that nobody could do better, but a mark to aim at.
"""

import pathlib
import runpy
import sys

import numpy as np
from scipy.stats import gamma

WEEKS = range(12, 22)
OFFERS = 3
SEED = 1

here = runpy.run_path(str(pathlib.Path(__file__).parent / "ceiling.py"), run_name="ceiling")


def segment_rates(shop, share, first, second):
    """How many draws of needs or of interests fall on each type, by the segments: counted over all customers."""
    count = max(first.max(), second.max()) + 1
    weights = np.zeros((shop.customers, count))
    np.add.at(weights, (np.arange(shop.customers), first), share)
    np.add.at(weights, (np.arange(shop.customers), second), 1 - share)
    seen = (shop.likes | shop.need_types).astype(float)[shop.buys]
    rates = np.ones((count, shop.types))
    for _ in range(200):
        rates *= weights[shop.buys].T @ (seen / (weights[shop.buys] @ rates + 1e-12))
        rates /= weights[shop.buys].sum(0)[:, None]
    return weights @ (rates / rates.sum(1, keepdims=True))


class Learner:
    """What is known of customers: chances that they would like a type, and weights of how responsive they are."""

    def __init__(self, shop, likes):
        response = shop.response
        self.levels = response["uplift"] * np.array([0, 0.2, 0.5, 1, 1.5, 2, 3, 5, 8])
        weights = gamma.pdf(self.levels[1:] / response["uplift"], response["uplift_shape"], scale=1 / response["uplift_shape"])
        weights *= response["persuadable_share"] / weights.sum()
        self.responsive = np.tile(np.append(1 - response["persuadable_share"], weights), (shop.customers, 1))
        self.odds = np.log(likes / (1 - likes))

    def likes(self, types):
        return 1 / (1 + np.exp(-self.odds[:, types]))

    def learn(self, shop, rows, of_type, pull, is_narrow, is_needed, answered):
        """Takes in one offer of each customer: `pull` is all of its effect but responsiveness and interest."""
        response = shop.response
        liked = np.where(is_needed, response["need_factor"], response["interest_factor"])
        chance = lambda factor: np.minimum(self.levels * (pull * factor)[:, None], response["uplift_max"]) + 1e-4
        likely = lambda chance: np.where(answered[:, None], chance, 1 - chance)
        yes, no = likely(chance(liked)), likely(chance(np.where(is_needed, response["need_factor"], 1.0)))
        is_open = is_narrow & ~is_needed
        share = (1 / (1 + np.exp(-self.odds[rows, of_type])) * is_narrow)[:, None]
        ratio = np.log((self.responsive * yes).sum(1) / (self.responsive * no).sum(1))
        self.responsive *= share * yes + (1 - share) * no
        self.responsive /= self.responsive.sum(1, keepdims=True)
        self.odds[rows[is_open], of_type[is_open]] += ratio[is_open]


def campaign(shop, fatigue, likes, knows_segments, knows_appeals, learns):
    """What the offers of ten weeks bring, as a share of what the oracle's would."""
    chance, response, rows = np.random.default_rng(SEED), shop.response, np.arange(shop.customers)
    learner, contacts, brought, oracle = Learner(shop, likes), np.zeros(shop.customers), 0.0, 0.0
    for week in WEEKS:
        running = shop.running(week)
        focus, narrow = shop.focus[running], shop.narrow[running]
        types, brings = shop.type_of[focus], here["rankings"](shop, week)[0]
        needed = np.stack([(shop.needs & shop.covered[one]).any(1) for one in running], 1) & narrow
        draw = shop.appeal[running] if knows_appeals else shop.depth[running] ** 2
        draw = draw * np.where(shop.new(week)[focus], response["new_factor"], 1.0)
        draw = draw * (shop.taste[:, shop.department_of[focus]] if knows_segments else np.ones((shop.customers, 1)))
        liked = learner.likes(types) * narrow
        fit = np.where(needed, response["need_factor"], liked * response["interest_factor"] + 1 - liked)
        score = draw * fit + 1e-9 * chance.random(fit.shape)
        best = np.argsort(-score, 1)[:, :OFFERS]
        tired = np.exp(-fatigue * contacts)
        contacts = contacts * response["fatigue_memory"] + 1
        effect = np.take_along_axis(brings, best, 1) * tired[:, None]
        brought += effect[shop.buys].sum()
        oracle += (np.sort(brings, 1)[:, -OFFERS:] * tired[:, None])[shop.buys].sum()
        answered = chance.random(effect.shape) < effect
        for place in range(OFFERS if learns else 0):
            one = best[:, place]
            learner.learn(
                shop, rows, types[one], draw[rows, one] * tired, narrow[one], needed[rows, one], answered[:, place]
            )
    return brought / oracle


def main():
    folder = pathlib.Path(sys.argv[1])
    shop, customers = here["Shop"](folder), here["table"](folder, "truth/customers")
    fatigue, interests = customers.fatigue.to_numpy(), shop.response["interests_mean"]
    sure = lambda chances: np.clip(chances, 1e-6, 0.99)
    first, second = customers.segment_1.to_numpy() - 1, customers.segment_2.to_numpy() - 1
    rates = segment_rates(shop, customers.segment_1_share.to_numpy(), first, second)
    bought = shop.bought(WEEKS[0], shop.type_of, shop.types)
    by_segments = (1 - np.exp(-interests * rates)) * np.exp(-shop.purchases["needs_mean"] * rates)
    by_topics = 1 - np.exp(-interests * here["topics"](bought) / shop.types)
    print("| who knows | learns nothing | learns from each answer |\n| --- | --- | --- |")
    for name, likes, *knows in [
        ("appeals and segments", by_segments, True, True),
        ("appeals; sees topics of types", by_topics, False, True),
        ("depths; sees topics of types", by_topics, False, False),
    ]:
        shares = [campaign(shop, fatigue, sure(likes), *knows, learns) for learns in (False, True)]
        print(f"| {name} | {shares[0]:.0%} | {shares[1]:.0%} |")


main()
