-- Which visitors are logged in as which customers?
-- grain: one row per event with both; inputs: {from} (a source), {visitor}, {customer} (of its columns)
select visitor, customer
from (
  select {visitor} as visitor, {customer} as customer
  from {from}
)
where visitor is not null and customer is not null
