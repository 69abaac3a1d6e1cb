-- Which share was planned for the arm that grows, and whom did it move in the campaign?
-- grain: one row per experiment. inputs: assignments.
-- as-of column: arm_since, assigned_on.
-- output: experiment, customers, moved (of them), share (the largest), first_moved_bucket (null without any)
select
  experiment,
  count(*) as customers,
  sum(case when is_moved then 1 else 0 end) as moved,
  max(share) as share,
  min(case when is_moved then cast(bucket as bigint) end) as first_moved_bucket
from (
  select
    experiment, share, bucket,
    arm_since > assigned_on and cast(arm_since as int) > $first_day as is_moved
  from assignments
  where experiment in ('holdout', $experiment)
    and cast(assigned_on as int) < $campaign_until_day
)
group by experiment
order by experiment
