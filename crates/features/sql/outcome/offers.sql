-- What were units offered in a week, and what came of it?
-- grain: one row per unit and week with an offer. inputs: outcome_offers, outcome_clicks, outcome_attributed.
-- as-of column: that of the inputs.
-- output: unit, week, contacts (1), offers_sent, offers_seen, offers_used, attributed_minor
with seen as (
  select distinct o.unit, o.week, o.promotion_id
  from outcome_offers o
  join outcome_clicks c on c.unit = o.unit and c.promotion_id = o.promotion_id
  where c.day between o.from_day and o.to_day
)
select
  o.unit, o.week,
  1 as contacts,
  count(*) as offers_sent,
  sum(case when s.unit is not null or a.unit is not null then 1 else 0 end) as offers_seen,
  sum(case when a.unit is not null then 1 else 0 end) as offers_used,
  sum(coalesce(a.attributed_minor, 0)) as attributed_minor
from outcome_offers o
left join seen s on s.unit = o.unit and s.week = o.week and s.promotion_id = o.promotion_id
left join outcome_attributed a
  on a.unit = o.unit and a.week = o.week and a.promotion_id = o.promotion_id
group by o.unit, o.week
