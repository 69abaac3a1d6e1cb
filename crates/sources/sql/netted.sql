-- How do the order lines look once returns are netted?
-- grain: one row per order line that is left; inputs: _in_transactions, _netted (changed lines)
select {columns}
from _in_transactions t
left join _netted n on t._n = n._n
where n.gone is not true
