//! What does a person read of a run or a backtest?
