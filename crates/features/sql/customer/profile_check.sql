-- Could a profile column tell who a customer is?
-- grain: one row. inputs: customers. as-of column: none.
-- The name in braces is replaced by the quoted name of the column.
-- output: filled, distinct_values, addresses (values that look like an e-mail address)
select
  count({column}) as filled,
  count(distinct {column}) as distinct_values,
  sum(case when cast({column} as varchar) like '%_@_%._%' then 1 else 0 end) as addresses
from customers
