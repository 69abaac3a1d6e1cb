-- What came of each slate in its window? What several of its offers hold for counts once.
-- Grain: slate whose customer ordered or redeemed something. Inputs: decision_purchases, decision_rewards, decided,
-- customer_index, lines.
select
  slate,
  sum(revenue_minor) as revenue_minor,
  sum(margin_minor) as margin_minor,
  sum(redeemed) as redeemed,
  max(ordered) as ordered
from (
  select slate, revenue_minor, margin_minor, cast(0 as bigint) as redeemed, cast(0 as bigint) as ordered
  from (
    select distinct slate, order_ix, product_ix, day, is_sale, revenue_minor, margin_minor
    from decision_purchases
  )
  union all
  select d.slate, cast(0 as bigint), cast(0 as bigint), r.redeemed, cast(0 as bigint)
  from decision_rewards r
  join decided d on d.row = r.row
  union all
  select s.slate, cast(0 as bigint), cast(0 as bigint), cast(0 as bigint), cast(1 as bigint)
  from (select distinct slate, customer_id, from_day, to_day from decided) s
  join customer_index c on c.customer_id = s.customer_id
  join lines l on l.customer_ix = c.customer_ix
  where l.is_sale = 1 and l.day between s.from_day and s.to_day
)
group by slate
order by slate
