-- Who holds a promotion that was sent before a week and still runs in it? Grain: customer.
select distinct c.customer_ix
from exposures e
join customer_index c on c.customer_id = e.customer_id
join promotions p on p.promotion_id = e.promotion_id
where e.exposed_on < $until and p.valid_to >= $as_of
order by c.customer_ix
