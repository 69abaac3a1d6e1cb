-- How many customers bought into a promotion's products lately?
-- grain: one row per promotion with a sale in twelve weeks (of one part of the customers). inputs:
-- eligible_products, product_days.
-- as-of column: day.
-- output: promotion_ix, buyers_4w, buyers_8w, buyers_12w
select
  promotion_ix,
  sum(case when age_days <= 28 then 1 else 0 end) as buyers_4w,
  sum(case when age_days <= 56 then 1 else 0 end) as buyers_8w,
  count(*) as buyers_12w
from (
  select e.promotion_ix, r.customer_ix, min(r.age_days) as age_days
  from (
    select customer_ix, product_ix, cast($as_of as int) - max(day) as age_days
    from product_days
    where day < cast($as_of as int) and day >= cast($as_of as int) - 84
    group by customer_ix, product_ix
  ) r
  join eligible_products e on e.product_ix = r.product_ix
  group by e.promotion_ix, r.customer_ix
)
group by promotion_ix
order by promotion_ix
