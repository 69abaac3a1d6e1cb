-- How many of a promotion's products would a customer buy, going by types, categories and makers?
-- grain: one row per customer of pair_customers and promotion with any. inputs:
-- customer_type, customer_maker_type, promotion_levels, pair_customers.
-- as-of column: those of the inputs.
-- Each is the sum over the promotion's types (…) of the customer's decayed lines times the promotion's share in
-- the lines of the type; due is the same with the renewal rate.
-- output: customer_ix, promotion_ix, type_micro, due_micro, category_micro, maker_micro, maker_type_micro
with levels as (
  select customer_ix, 4 * type_ix as level_key, n90_micro as n_micro, due_micro
  from customer_type
  union all
  select customer_ix, 4 * category_ix + 1, sum(n90_micro), 0
  from customer_maker_type
  group by customer_ix, category_ix
  union all
  select customer_ix, 4 * maker_ix + 2, sum(n120_micro), 0
  from customer_maker_type
  group by customer_ix, maker_ix
  union all
  select customer_ix, 4 * maker_type_ix + 3, n120_micro, 0
  from customer_maker_type
)
select
  l.customer_ix,
  s.promotion_ix,
  sum(case when l.level_key % 4 = 0 then l.n_micro * s.share_e8 / 100000000 else 0 end) as type_micro,
  sum(l.due_micro * s.share_e8 / 100000000) as due_micro,
  sum(case when l.level_key % 4 = 1 then l.n_micro * s.share_e8 / 100000000 else 0 end) as category_micro,
  sum(case when l.level_key % 4 = 2 then l.n_micro * s.share_e8 / 100000000 else 0 end) as maker_micro,
  sum(case when l.level_key % 4 = 3 then l.n_micro * s.share_e8 / 100000000 else 0 end) as maker_type_micro
from levels l
join pair_customers a on a.customer_ix = l.customer_ix
join promotion_levels s on s.level_key = l.level_key
group by l.customer_ix, s.promotion_ix
order by l.customer_ix, s.promotion_ix
