-- Which rows of a table stay?
-- grain: that of the table; inputs: {table} (a mapped table), {bad} (the numbers of rows that go), {known}
select t.*
from {table} t
left anti join {bad} b on t._n = b._n
where {known}
