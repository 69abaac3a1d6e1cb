-- Who is measured, in which arm, and from when on?
-- grain: one row per customer of the measured plan assigned before the end of the campaign. inputs: assignments,
-- customers.
-- as-of column: assigned_on; $first_day and $campaign_until_day are days since 1970-01-01. Customers for whom another
-- share was planned are left out, and those whom a larger one moved in the campaign; in an engine test such customers
-- are in neither of its arms. When and with which share somebody was assigned hangs on no arm.
-- output: the columns of the table units, in its order, then entered_day
select
  cast(row_number() over (order by h.customer_id) - 1 + $first_unit as int) as unit,
  h.customer_id,
  greatest(h.assigned_on, $campaign_from) as entered_on,
  h.arm,
  case
    when e.share = $test_share
      and e.assigned_on < $test_raised_on
      and (e.arm_since = e.assigned_on or e.arm_since <= $campaign_from)
      then e.arm
  end as experiment_arm,
  h.behaviour as segment,
  h.device,
  coalesce(c.consent = false, false) or coalesce(c.suppressed, false) as opted_out,
  greatest(cast(cast(h.assigned_on as int) as bigint), $first_day) as entered_day
from assignments h
left join assignments e on e.customer_id = h.customer_id and e.experiment = $experiment
left join customers c on c.customer_id = h.customer_id
where h.experiment = 'holdout'
  and cast(h.assigned_on as int) < $campaign_until_day
  and h.share = $holdout_share
  and h.assigned_on < $holdout_raised_on
  and (h.arm_since = h.assigned_on or h.arm_since <= $campaign_from)
order by unit
