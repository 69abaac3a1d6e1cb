-- Which rows fail which row rules?
-- grain: one row per failing row; inputs: {table} (a mapped table), {mask} (bit i is rule i), {reasons}
select _n, mask, case {reasons} end as reason
from (
  select *, {mask} as mask
  from {table}
  where {known}
)
where mask > 0
order by _n
