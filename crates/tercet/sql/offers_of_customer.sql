-- Which offers does one customer have, or all when $customer is empty? Grain: customer and slot.
select customer_id, slot, promotion_id, code, valid_from, valid_to, value_minor, reasons
from offers
where $customer = '' or customer_id = $customer
order by customer_id, slot
