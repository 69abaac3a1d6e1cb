-- Which offers did customers get in a week, and which of them did they use in it?
-- grain: one row per customer and promotion. inputs: exposures, redemptions, customer_index, promotion_index.
-- as-of column: exposed_on, redeemed_on; $as_of is the first day of the week.
-- output: customer_ix, promotion_ix, used (1 when the promotion was redeemed in the week)
with week as (
  select distinct customer_id, promotion_id
  from exposures
  where exposed_on >= $as_of and exposed_on < $until
),
used as (
  select distinct customer_id, promotion_id
  from redemptions
  where redeemed_on >= $as_of and redeemed_on < $until
)
select
  c.customer_ix,
  p.promotion_ix,
  case when u.customer_id is not null then 1 else 0 end as used
from week w
join customer_index c on c.customer_id = w.customer_id
join promotion_index p on p.promotion_id = w.promotion_id
left join used u on u.customer_id = w.customer_id and u.promotion_id = w.promotion_id
order by c.customer_ix, p.promotion_ix
