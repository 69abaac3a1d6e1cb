-- What is each offer worth, in integers? Grain: customer and candidate promotion.
select
  c.customer_ix, p.promotion_ix, s.value_minor, s.value_kind, s.expected_cost_minor, s.margin_loss_minor,
  s.response_rate, s.discovery_rate, s.route
from scores s
join customer_index c on c.customer_id = s.customer_id
join promotion_index p on p.promotion_id = s.promotion_id
order by c.customer_ix, p.promotion_ix
