-- What was sold, in integers? Grain: customer, order, product and day.
select customer_ix, product_ix, order_ix, day, amount_minor
from lines
where is_sale = 1
