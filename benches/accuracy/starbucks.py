"""Is there a way of sending the promotion of the Starbucks trial that pays, though sending it to all loses money?

    pip install -r benches/accuracy/requirements.txt
    python benches/accuracy/starbucks.py --data FOLDER --tercet target/release/tercet

FOLDER holds training.parquet (84,534 customers, half of them sent a promotion at 0.15 that sells at 10). The
policy is chosen in ten folds, one after the other: who is sent to in a fold follows from the folds before it
alone. NIR = 10 · (treated buyers − control buyers) − 0.15 · treated, IRR is the
difference of their rates, over the customers selected in the nine folds that are judged.
"""

from common import arguments, estimate, fit, header, row

TRIAL = ["--treatment", "Promotion", "--outcome", "purchase", "--key", "ID"]
MONEY = ["--margin", "10", "--cost", "0.15"]


def main():
    found = arguments(__doc__.splitlines()[0], "training.parquet")
    table = found.data / "training.parquet"
    header("learner", "seed", "sent to", "NIR, 95 % interval", "IRR, 95 % interval", "per customer, over nobody", "over all", "p")
    for learner in ("dr", "r"):
        for seed in (1, 2, 3):
            how = [*TRIAL, *MONEY, "--learner", learner, "--splits", "10", "--seed", seed]
            said = fit(found.tercet, table, *how)
            policy = said["policy"]
            row(
                learner,
                seed,
                f"{100 * policy['sent']:.0f} % of {policy['rows']}",
                estimate(policy["selected"]["net"], 2),
                estimate(policy["selected"]["difference"], 5),
                estimate(policy["over_nobody"]),
                estimate(policy["over_all"][0]),
                f"{said['arms'][0]['heterogeneity'].get('p_value', float('nan')):.4f}",
            )
    header("sending to all", "per customer, over nobody")
    row("judged on the same folds", estimate(policy["all_over_nobody"][0]))


main()
