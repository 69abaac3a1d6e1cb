-- Which offers were used, by the first rule that says so, and what was paid with them?
-- grain: one row per offer used. inputs: outcome_uses, outcome_rules, outcome_covered.
-- as-of column: that of the inputs. An offer counts once, under the first rule of the shop's list that finds it; an
-- order line is paid for one offer only, the one with the smallest id of those used in the week.
-- output: unit, week, promotion_id, rule, attributed_minor
with used as (
  select
    s.unit, s.week, s.promotion_id,
    first_value(s.sign order by r.place) as rule
  from outcome_uses s
  join outcome_rules r on r.rule = s.sign
  group by s.unit, s.week, s.promotion_id
),
paid as (
  select
    c.unit, c.week, c.order_id, c.product_ix, c.day, c.is_sale,
    min(c.promotion_id) as promotion_id,
    min(c.amount_minor) as amount_minor
  from used u
  join outcome_covered c
    on c.unit = u.unit and c.week = u.week and c.promotion_id = u.promotion_id
  group by 1, 2, 3, 4, 5, 6
),
amounts as (
  select unit, week, promotion_id, sum(amount_minor) as attributed_minor
  from paid
  group by unit, week, promotion_id
)
select
  u.unit, u.week, u.promotion_id, u.rule,
  coalesce(a.attributed_minor, 0) as attributed_minor
from used u
left join amounts a on a.unit = u.unit and a.week = u.week and a.promotion_id = u.promotion_id
