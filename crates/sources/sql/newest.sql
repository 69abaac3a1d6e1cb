-- How many rows are not known yet on the as-of date, and of which days are the oldest and the newest known one?
-- grain: one row; inputs: {table} (a mapped table); as-of column: {column}
select
  count(*) filter (where {column} >= $as_of) as future,
  min(case when {column} < $as_of then cast({column} as date) end) as oldest,
  max(case when {column} < $as_of then cast({column} as date) end) as newest
from {table}
