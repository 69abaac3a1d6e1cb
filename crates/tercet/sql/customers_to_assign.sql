-- Who is to be in an arm, and what is known of them before? Grain: customer known as of the Monday.
select customer_ix, customer_id, behaviour, device, tenure_days
from customer_master
order by customer_ix
