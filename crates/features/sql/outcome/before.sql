-- What did each unit come to before the campaign?
-- grain: one row per unit that bought anything then. inputs: unit_weeks.
-- as-of column: week, negative before the campaign.
-- output: unit, revenue_minor, margin_minor
select unit, sum(revenue_minor) as revenue_minor, sum(margin_minor) as margin_minor
from unit_weeks
where week < 0
group by unit
order by unit
