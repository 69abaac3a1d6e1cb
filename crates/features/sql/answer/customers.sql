-- How did a customer answer offers before a day, and how drawn is the customer by reductions and by what is new?
-- grain: one row per customer with a purchase or an offer in twelve weeks. inputs: customer_index, exposures,
-- redemptions, lines, product_index, products.
-- as-of column: exposed_on, redeemed_on, day.
-- A launched line is one of a product launched in the 56 days before it.
-- output: customer_ix, sent, used, lines, reduced (lines reduced on the shelf), launched (lines)
with answers as (
  select c.customer_ix, sum(a.sent) as sent, sum(a.used) as used
  from (
    select customer_id, 1 as sent, 0 as used
    from exposures
    where exposed_on < $as_of and exposed_on >= $since
    union all
    select customer_id, 0 as sent, 1 as used
    from redemptions
    where redeemed_on < $as_of and redeemed_on >= $since
  ) a
  join customer_index c on c.customer_id = a.customer_id
  group by c.customer_ix
),
bought as (
  select
    l.customer_ix,
    count(*) as lines,
    sum(case when l.discount_minor > 0 then 1 else 0 end) as reduced,
    sum(case
      when l.day >= cast(p.launched_on as int) and l.day < cast(p.launched_on as int) + 56 then 1 else 0
    end) as launched
  from lines l
  join product_index i on i.product_ix = l.product_ix
  left join products p on p.product_id = i.product_id
  where l.is_sale = 1 and l.day < cast($as_of as int) and l.day >= cast($since as int)
  group by l.customer_ix
)
select
  c.customer_ix,
  coalesce(a.sent, 0) as sent,
  coalesce(a.used, 0) as used,
  coalesce(b.lines, 0) as lines,
  coalesce(b.reduced, 0) as reduced,
  coalesce(b.launched, 0) as launched
from customer_index c
left join answers a on a.customer_ix = c.customer_ix
left join bought b on b.customer_ix = c.customer_ix
where a.customer_ix is not null or b.customer_ix is not null
order by c.customer_ix
