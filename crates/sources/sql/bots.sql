-- Which browsing events are a bot's?
-- grain: one row per event; inputs: _in_interactions, {pattern} (of user agents), {limit} (events an hour)
with busy as (
  select visitor_id, min(hour) as busy_from
  from (
    select visitor_id, date_trunc('hour', occurred_at) as hour, count(*) as events
    from _in_interactions
    group by visitor_id, date_trunc('hour', occurred_at)
  )
  where events > {limit}
  group by visitor_id
)
select i._n
from _in_interactions i
left join busy b on i.visitor_id = b.visitor_id
where regexp_like(lower(coalesce(i.user_agent, '')), {pattern})
  -- A visitor counts as a bot from its first busy hour on: earlier events were not known to be a bot's.
  or i.occurred_at >= b.busy_from
order by i._n
