-- What did each unit come to before the campaign?
-- grain: one row per unit that bought anything then. inputs: unit_weeks.
-- as-of column: week; $known_until is the first week in which anybody may have been treated, at most 0.
-- output: unit, revenue_minor, margin_minor
select unit, sum(revenue_minor) as revenue_minor, sum(margin_minor) as margin_minor
from unit_weeks
where week < $known_until
group by unit
order by unit
