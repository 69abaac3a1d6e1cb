-- Is a product new, and do more customers buy it than a month ago?
-- grain: one row per product with a sale or a launch day. inputs: product_buyers, product_index,
-- products.
-- as-of column: that of product_buyers, products.launched_on.
-- growth_z = (b - a) / sqrt(a + b) for b buyers in the last 4 weeks and a in the 4 before: the z-score of
-- equal Poisson rates. Without launched_on a product is newly launched when its first sale is and it has
-- some buyers, unless that falls into the first $burn_in_days of all sales, when everything looks new.
-- output: product_ix, first_sold_day, buyers_4w, buyers_prior_4w, growth_z, is_fast_growing,
-- is_newly_launched
with start as (select min(first_sold_day) as first_day from product_buyers),
facts as (
  select
    i.product_ix,
    p.launched_on,
    k.first_sold_day,
    s.first_day,
    coalesce(k.buyers_4w, 0) as buyers_4w,
    coalesce(k.buyers_prior_4w, 0) as buyers_prior_4w,
    case when k.buyers_4w + k.buyers_prior_4w > 0
      then cast(k.buyers_4w - k.buyers_prior_4w as double)
        / sqrt(cast(k.buyers_4w + k.buyers_prior_4w as double))
    end as growth_z
  from product_index i
  cross join start s
  left join products p on p.product_id = i.product_id
  left join product_buyers k on k.product_ix = i.product_ix
  where k.product_ix is not null or p.launched_on < $as_of
)
select
  product_ix,
  first_sold_day,
  buyers_4w,
  buyers_prior_4w,
  growth_z,
  coalesce(growth_z >= $growth_z and buyers_4w >= $growth_buyers, false) as is_fast_growing,
  coalesce(case
    when launched_on is not null then
      launched_on < $as_of and cast($as_of as int) - cast(launched_on as int) <= $launch_days
    else
      cast($as_of as int) - first_sold_day <= $launch_days
      and first_sold_day - first_day >= $burn_in_days
      and buyers_4w >= $launch_buyers
  end, false) as is_newly_launched
from facts
order by product_ix
