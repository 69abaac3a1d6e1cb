-- Which rows repeat a key that an earlier row has?
-- grain: one row per repeated row; inputs: {table} (a mapped table), {key}, {shown}
select _n, 'the key ' || {shown} || ' is there already' as reason
from (
  select _n, {key}, row_number() over (partition by {key} order by _n) as position
  from {table}
)
where position > 1
order by _n
