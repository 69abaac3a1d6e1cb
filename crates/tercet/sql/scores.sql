-- What is each offer worth, under the ids the shop knows? Grain: customer and candidate promotion.
select
  c.customer_id, p.promotion_id, s.value_minor, s.value_kind, s.expected_cost_minor, s.margin_loss_minor,
  s.response_rate, s.discovery_rate, s.route
from scored_pairs s
join customer_index c on c.customer_ix = s.customer_ix
join promotion_index p on p.promotion_ix = s.promotion_ix
order by s.customer_ix, s.promotion_ix
