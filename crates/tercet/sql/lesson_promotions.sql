-- Which promotions may a model learn from, of those known by a day? Grain: promotion.
-- may_run: it can be offered on some day of the weeks to decide.
select promotion_ix, valid_to >= $first as may_run
from promotion_index
where valid_from <= $last
order by promotion_ix
