-- What does a file of the log say of the customers at hand? Grain: customer and experiment.
select
  c.customer_ix, a.experiment, a.arm, a.bucket, a.share, a.assigned_on, a.arm_since, a.behaviour,
  a.device, a.first_order_on
from earlier_assignments a
join customer_master c on c.customer_id = a.customer_id
order by c.customer_ix, a.experiment
