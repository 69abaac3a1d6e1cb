-- Which offers were used, and by which sign?
-- grain: one row per offer and sign. inputs: outcome_offers, outcome_covered, outcome_clicks, outcome_lines,
-- redemptions, units.
-- as-of column: that of each input; a sign counts within the offer's window. By click: the offer was clicked,
-- and something was ordered on that day or within $click_days days, in the window.
-- output: unit, week, promotion_id, sign ('code', 'purchase' or 'click')
select distinct o.unit, o.week, o.promotion_id, 'code' as sign
from outcome_offers o
join units u on u.unit = o.unit
join redemptions r on r.customer_id = u.customer_id and r.promotion_id = o.promotion_id
where cast(r.redeemed_on as int) between o.from_day and o.to_day
union all
select distinct unit, week, promotion_id, 'purchase' as sign
from outcome_covered
where is_sale = 1
union all
select distinct o.unit, o.week, o.promotion_id, 'click' as sign
from outcome_offers o
join outcome_clicks c on c.unit = o.unit and c.promotion_id = o.promotion_id
join outcome_lines l on l.unit = o.unit
where c.is_click = 1 and l.is_sale = 1
  and c.day between o.from_day and o.to_day
  and l.day between c.day and least(c.day + $click_days, o.to_day)
