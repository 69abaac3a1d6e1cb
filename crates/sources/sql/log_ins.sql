-- Which visitors logged in as which customers?
-- grain: one row per visitor and customer; inputs: {from} (a source), {visitor}, {customer} (of its columns)
select distinct visitor, customer
from (
  select {visitor} as visitor, {customer} as customer
  from {from}
)
where visitor is not null and customer is not null
