//! How do tables get read, joined and written, on any store?
//!
//! The only crate that names DataFusion and object stores. Everything above it speaks of an
//! [`Engine`] that runs SQL, a [`Frame`] of columns, and a [`Store`] of files. The facade blocks: it owns
//! the runtime, so that stages stay plain functions.

mod attach;
mod beside;
mod client;
mod failure;
mod frame;
mod leftovers;
mod location;
mod parquet_file;
mod parts;
mod pieces;
mod session;
mod store;
mod stream;
mod tables;
mod udf;
mod upload;

pub use attach::{
    Attached, ColumnInfo, FILE_COLUMN, FILE_NUMBER_COLUMN, FileFormat, FileSet, InputFile,
    POSITION_COLUMNS, ROW_COLUMN,
};
pub use frame::{ColumnData, Frame};
pub use location::Location;
pub use parts::{PARTS_MAX, Parts, part_of};
pub use session::{Engine, EngineOptions, Value, params};
pub use store::{FileFact, Store};
pub use stream::{RawColumn, TableWriter};
pub use upload::FileWriter;
