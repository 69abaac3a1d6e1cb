-- What did a run send to units?
-- grain: one row per decision for a promotion. inputs: run_decisions, units.
-- as-of column: as_of of the run.
-- output: customer_id, as_of, promotion_id, window_from, window_to
select d.customer_id, d.as_of, d.promotion_id, d.window_from, d.window_to
from units u
join run_decisions d on d.customer_id = u.customer_id
where d.promotion_id is not null
