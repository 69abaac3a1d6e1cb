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
gaps as (
  select customer_ix, median(cast(gap_days as double)) as median_gap_days
  from (
    select
      customer_ix,
      day - lag(day) over (partition by customer_ix order by day) as gap_days
    from (select distinct customer_ix, day from known where is_sale = 1)
  )
  where gap_days is not null
  group by customer_ix
),
sums as (
  select
    customer_ix,
    min(case when is_sale = 1 then day end) as first_day,
    max(case when is_sale = 1 then day end) as last_day,
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
  s.customer_ix,
  s.first_day,
  s.last_day,
  g.median_gap_days,
  s.orders_4w,
  s.orders_8w,
  s.orders_12w,
  s.spend_4w_minor,
  s.spend_8w_minor,
  s.spend_12w_minor,
  s.spend_minor / s.orders as basket_mean_minor,
  case when s.spend_8w_minor > 0
    then greatest(-1.0, least(1.0,
      cast(2 * s.spend_4w_minor - s.spend_8w_minor as double) / cast(s.spend_8w_minor as double)))
  end as spend_trend
from sums s
left join gaps g on g.customer_ix = s.customer_ix
order by s.customer_ix
