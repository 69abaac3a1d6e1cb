-- Who browsed which category, on which day?
-- grain: one row per customer, day and category looked at. inputs: looks.
-- as-of column: day.
-- output: customer_ix, day, category_ix (-1: none), events
select customer_ix, day, category_ix, sum(events) as events
from looks
group by 1, 2, 3
