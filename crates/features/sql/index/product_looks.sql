-- Who looked at which product, on which day?
-- grain: one row per customer, day and product looked at. inputs: looks.
-- as-of column: day.
-- output: customer_ix, day, product_ix
select distinct customer_ix, day, product_ix
from looks
where product_ix >= 0 and looks > 0
