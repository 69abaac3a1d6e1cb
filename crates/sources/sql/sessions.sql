-- Which events belong to one session?
-- grain: one row per event; inputs: _in_interactions, {gap_minutes}; as-of column: occurred_at
-- Sessions that the source names stay. A derived one is named by its first event, so that later events
-- never change it.
with gaps as (
  select *,
    lag(occurred_at) over (partition by visitor_id order by occurred_at, _n) as before_at
  from _in_interactions
),
starts as (
  select *,
    case when before_at is null or occurred_at - before_at > interval '{gap_minutes} minutes'
      then occurred_at end as start_at
  from gaps
),
named as (
  select *,
    max(start_at) over (
      partition by visitor_id order by occurred_at, _n rows between unbounded preceding and current row
    ) as session_at
  from starts
)
select {columns},
  coalesce(session_id, visitor_id || '-' || to_char(session_at, '%Y%m%dT%H%M%S%.6f')) as session_id
from named
