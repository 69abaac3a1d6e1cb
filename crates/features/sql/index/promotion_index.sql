-- Which integer stands for a promotion?
-- grain: one row per promotion. inputs: promotions.
-- as-of column: none; numbers follow the order of the ids and carry no information.
-- output: promotion_ix (0, 1, 2 … by promotion_id), promotion_id, valid_from, valid_to
select
  cast(row_number() over (order by promotion_id) - 1 as int) as promotion_ix,
  promotion_id,
  valid_from,
  valid_to
from promotions
order by promotion_ix
