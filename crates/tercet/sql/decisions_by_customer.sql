-- What was decided, when two engines decided? Grain: customer and slot.
select * from rows_of_sides order by customer_id, slot
