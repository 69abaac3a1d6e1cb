-- What did a run send?
-- grain: one row per decision for a promotion. inputs: run_decisions.
-- as-of column: as_of of the run.
-- output: customer_id, as_of, promotion_id, window_from, window_to
select customer_id, as_of, promotion_id, window_from, window_to
from run_decisions
where promotion_id is not null
