-- Which promotions ran on a day?
-- grain: one row per such promotion. inputs: promotion_index.
-- as-of column: valid_from, valid_to.
-- output: promotion_ix
select promotion_ix
from promotion_index
where valid_from <= $as_of and valid_to >= $as_of
order by promotion_ix
