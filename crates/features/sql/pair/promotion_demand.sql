-- How popular is a promotion's range among active customers, and with whom is it new?
-- grain: one row per promotion of pair_scope. inputs: pair_scope, scope_products, product_days,
-- active, product_sales.
-- as-of column: day.
-- A customer is a new buyer who bought in four weeks an eligible product never bought before these.
-- output: promotion_ix, breadth, buyers_4w, buyers_12w, new_buyers_4w, lines_12w, amount_12w_minor
with buyers as (
  select
    e.promotion_ix,
    b.customer_ix,
    max(case when b.day >= cast($as_of as int) - 28 then 1 else 0 end) as recent,
    max(case when b.day >= cast($as_of as int) - 28 then b.is_first else 0 end) as new
  from product_days b
  join active a on a.customer_ix = b.customer_ix
  join scope_products e on e.product_ix = b.product_ix
  where b.day < cast($as_of as int) and b.day >= cast($as_of as int) - 84
  group by e.promotion_ix, b.customer_ix
),
demand as (
  select
    promotion_ix,
    sum(recent) as buyers_4w,
    count(*) as buyers_12w,
    sum(new) as new_buyers_4w
  from buyers
  group by promotion_ix
),
sales as (
  select
    e.promotion_ix,
    count(*) as breadth,
    sum(s.lines_12w) as lines_12w,
    sum(s.amount_12w_minor) as amount_12w_minor
  from scope_products e
  left join product_sales s on s.product_ix = e.product_ix
  group by e.promotion_ix
)
select
  p.promotion_ix,
  coalesce(s.breadth, 0) as breadth,
  coalesce(d.buyers_4w, 0) as buyers_4w,
  coalesce(d.buyers_12w, 0) as buyers_12w,
  coalesce(d.new_buyers_4w, 0) as new_buyers_4w,
  coalesce(s.lines_12w, 0) as lines_12w,
  coalesce(s.amount_12w_minor, 0) as amount_12w_minor
from pair_scope p
left join sales s on s.promotion_ix = p.promotion_ix
left join demand d on d.promotion_ix = p.promotion_ix
order by p.promotion_ix
