//! What does a tree ensemble trained on the past predict for a row of features?
//!
//! Gradient boosting of regression trees: Friedman, "Greedy function approximation: a gradient
//! boosting machine", Annals of Statistics 29(5), 2001, doi:10.1214/aos/1013203451; histogram
//! training with Newton leaves as in Chen & Guestrin, "XGBoost", KDD 2016,
//! doi:10.1145/2939672.2939785, grown leaf-wise as in Ke et al., "LightGBM", NeurIPS 2017.
//!
//! The trainer is a library behind [`TreeLearner`]; what is stored, loaded and walked is our own
//! [`Ensemble`], so that a saved model outlives the library that grew it.

mod ensemble;
mod explain;
mod format;
mod learner;
mod matrix;
mod params;
mod schema;
mod tree;

pub use ensemble::Ensemble;
pub use explain::Explainer;
pub use learner::{Hessboost, TrainingLog, TrainingSet, TreeLearner, train};
pub use matrix::Matrix;
pub use params::{Objective, Params};
pub use schema::FeatureSchema;
pub(crate) use schema::Fnv;
pub use tree::Tree;
