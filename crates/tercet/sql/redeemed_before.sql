-- Which promotions did customers redeem before a day? Grain: customer and promotion.
select distinct c.customer_ix, p.promotion_ix
from redemptions r
join customer_index c on c.customer_id = r.customer_id
join promotion_index p on p.promotion_id = r.promotion_id
where r.redeemed_on < $as_of
order by c.customer_ix, p.promotion_ix
