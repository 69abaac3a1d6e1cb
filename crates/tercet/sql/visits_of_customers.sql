-- How much did customers browse in each category, decayed, in millionths? Grain: customer and category browsed.
select customer_ix, category_ix, cast(round(events * 1e6) as bigint) as events_micro
from customer_category
where events > 0
order by customer_ix, category_ix
