-- What came of each offer in its window?
-- Grain: offer of which something was bought, or that was redeemed. Inputs: decision_purchases, decided,
-- redemptions.
select
  row,
  sum(revenue_minor) as revenue_minor,
  sum(margin_minor) as margin_minor,
  max(redeemed) as redeemed
from (
  select row, revenue_minor, margin_minor, cast(0 as bigint) as redeemed
  from decision_purchases
  union all
  select d.row, cast(0 as bigint), cast(0 as bigint), cast(1 as bigint)
  from decided d
  join redemptions r on r.customer_id = d.customer_id and r.promotion_id = d.promotion_id
  where cast(r.redeemed_on as int) between d.from_day and d.to_day
)
group by row
order by row
