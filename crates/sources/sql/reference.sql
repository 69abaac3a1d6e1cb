-- Which rows name something that is not there?
-- grain: one row per such row; inputs: {table}, {to_table} (mapped tables)
select l._n, {words} || l.{column} as reason
from {table} l
left anti join {to_table} r on l.{column} = r.{to_column}
where l.{column} is not null and {only}
order by l._n
