-- How much did customers browse over all categories, decayed, in millionths? Grain: customer that browsed.
select customer_ix, sum(cast(round(events * 1e6) as bigint)) as events_micro
from customer_category
where events > 0
group by customer_ix
order by customer_ix
