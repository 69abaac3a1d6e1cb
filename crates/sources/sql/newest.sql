-- How many rows are not known yet on the as-of date, and of which days are the oldest and the newest known one?
-- grain: one row; inputs: {table} (a mapped table); as-of column: {column}
select
  count(*) filter (where {column} >= $as_of) as future,
  cast(min({column}) filter (where {column} < $as_of) as date) as oldest,
  cast(max({column}) filter (where {column} < $as_of) as date) as newest
from {table}
