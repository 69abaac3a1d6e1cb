-- Which order lines of a unit's offers are there in their windows?
-- grain: one row per offer and line. inputs: outcome_offers, outcome_lines, promotion_index, promotion_scope.
-- as-of column: day, within the offer's window.
-- A promotion may cover thousands of products, and a unit buys few of them: lines look for their promotions, and
-- these for the offer. A join holds its left side in memory.
-- output: unit, week, promotion_id, order_id, product_ix, day, is_sale, amount_minor
with offers as (
  select o.unit, o.week, o.promotion_id, o.from_day, o.to_day, i.promotion_ix
  from promotion_index i
  join outcome_offers o on i.promotion_id = o.promotion_id
),
scope as (
  select s.promotion_ix, s.product_ix
  from (select distinct promotion_ix from offers) o
  join promotion_scope s on s.promotion_ix = o.promotion_ix
)
select
  o.unit, o.week, o.promotion_id, l.order_id, l.product_ix, l.day, l.is_sale, l.amount_minor
from offers o
join (
  select l.unit, l.order_id, l.product_ix, l.day, l.is_sale, l.amount_minor, s.promotion_ix
  from scope s
  join outcome_lines l on s.product_ix = l.product_ix
  where l.week >= 0
) l on l.unit = o.unit and l.promotion_ix = o.promotion_ix
where l.day between o.from_day and o.to_day
