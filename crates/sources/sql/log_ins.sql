-- Which visitors are logged in as which customers?
-- grain: one row per event with a customer; inputs: {from} (a source), {visitor}, {customer} (of its columns)
-- An id of a visitor may be long to work out, and most events are nobody's: it is asked of no other event.
select {visitor} as visitor, {customer} as customer
from {from}
where {customer} is not null
