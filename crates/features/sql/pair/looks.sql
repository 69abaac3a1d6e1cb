-- What did customers look at before a day?
-- grain: one row per customer, product and day. inputs: product_looks.
-- as-of column: day. Longer ago than $looked_days is forgotten.
-- output: customer_ix, product_ix, day
select customer_ix, product_ix, day
from product_looks
where day < cast($as_of as int) and day >= cast($as_of as int) - $looked_days
