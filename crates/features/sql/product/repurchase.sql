-- After how many days is a product bought again?
-- grain: one row per product that somebody bought on two days. inputs: product_intervals.
-- as-of column: that of product_intervals.
-- The median over customers of their mean interval (the mean of the two middle ones).
-- output: product_ix, repurchase_days, repeat_buyers
with ranked as (
  select
    product_ix,
    interval_days,
    sum(customers) over (
      partition by product_ix order by interval_days
      rows between unbounded preceding and current row
    ) as customers_up_to,
    sum(customers) over (partition by product_ix) as customers
  from product_intervals
)
select
  product_ix,
  (
    min(case when 2 * customers_up_to >= customers then interval_days end)
    + min(case when 2 * customers_up_to > customers then interval_days end)
  ) / 2.0 as repurchase_days,
  max(customers) as repeat_buyers
from ranked
group by product_ix
order by product_ix
