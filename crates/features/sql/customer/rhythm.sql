-- At what pace does a customer shop, and is it rising?
-- grain: one row per customer with an order. inputs: orders.
-- as-of column: day. Weeks are counted back from the as-of day.
-- spend_trend is (last 4 weeks - the 4 before) / (last 4 weeks + the 4 before), -1 to 1; null without
-- positive spend in both together.
-- output: customer_ix, first_day, last_day (days since 1970-01-01), median_gap_days (between order
-- days; null with one), orders_4w, orders_8w, orders_12w, spend_4w_minor, spend_8w_minor, spend_12w_minor,
-- basket_mean_minor, spend_trend
with known as (
  select customer_ix, day, is_sale, amount_minor, cast($as_of as int) - day as age_days
  from orders
  where day < cast($as_of as int)
),
sums as (
  select
    customer_ix,
    min(case when is_sale = 1 then day end) as first_day,
    max(case when is_sale = 1 then day end) as last_day,
    median_gap(day) filter (where is_sale = 1) as median_gap_days,
    sum(is_sale) as orders,
    sum(amount_minor) as spend_minor,
    sum(case when age_days <= 28 then is_sale else 0 end) as orders_4w,
    sum(case when age_days <= 56 then is_sale else 0 end) as orders_8w,
    sum(case when age_days <= 84 then is_sale else 0 end) as orders_12w,
    sum(case when age_days <= 28 then amount_minor else 0 end) as spend_4w_minor,
    sum(case when age_days <= 56 then amount_minor else 0 end) as spend_8w_minor,
    sum(case when age_days <= 84 then amount_minor else 0 end) as spend_12w_minor
  from known
  group by customer_ix
  having sum(is_sale) > 0
)
select
  customer_ix,
  first_day,
  last_day,
  median_gap_days,
  orders_4w,
  orders_8w,
  orders_12w,
  spend_4w_minor,
  spend_8w_minor,
  spend_12w_minor,
  spend_minor / orders as basket_mean_minor,
  case when spend_8w_minor > 0
    then greatest(-1.0, least(1.0,
      cast(2 * spend_4w_minor - spend_8w_minor as double) / cast(spend_8w_minor as double)))
  end as spend_trend
from sums
order by customer_ix
