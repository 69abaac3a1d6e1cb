-- Who is measured, in which arm, and from when on?
-- grain: one row per customer assigned before the end of the campaign. inputs: assignments, customers.
-- as-of column: assigned_on; $first_day and $campaign_until_day are days since 1970-01-01. Whom a larger share
-- moved from one arm to the other in the campaign is left out, or of an engine test is in neither of its arms: the
-- bucket, and so chance, chose them.
-- output: the columns of the table units, in its order, then entered_day and first_order_on
select
  cast(row_number() over (order by h.customer_id) - 1 + $first_unit as int) as unit,
  h.customer_id,
  greatest(h.assigned_on, $campaign_from) as entered_on,
  h.arm,
  case
    when e.arm_since = e.assigned_on or cast(e.arm_since as int) <= $first_day then e.arm
  end as experiment_arm,
  h.behaviour as segment,
  h.device,
  coalesce(c.consent = false, false) or coalesce(c.suppressed, false) as opted_out,
  greatest(cast(cast(h.assigned_on as int) as bigint), $first_day) as entered_day,
  h.first_order_on
from assignments h
left join assignments e on e.customer_id = h.customer_id and e.experiment = $experiment
left join customers c on c.customer_id = h.customer_id
where h.experiment = 'holdout'
  and cast(h.assigned_on as int) < $campaign_until_day
  and (h.arm_since = h.assigned_on or cast(h.arm_since as int) <= $first_day)
order by unit
