//! How is an ensemble written down, and is what was read whole?

use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

use super::schema::Fnv;
use super::{Ensemble, FeatureSchema, Objective, Tree};

const FORMAT: &str = "tercet-ensemble";
const VERSION: u32 = 1;

/// The envelope: the checksum is FNV-1a over the body as this version writes it.
#[derive(Serialize, Deserialize)]
struct File<B> {
    format: String,
    version: u32,
    checksum: String,
    body: B,
}

/// Every number is an integer or an `f32`, whose shortest decimal form reads back to the same bits.
#[derive(Serialize, Deserialize)]
struct Body {
    schema: FeatureSchema,
    fingerprint: String,
    objective: Objective,
    base_margin: f32,
    rounds: usize,
    trees: Vec<Tree>,
}

impl Ensemble {
    /// The model as JSON; [`Ensemble::from_json`] gives back the same bits.
    ///
    /// # Errors
    /// `T0402` when a value cannot be written (a bug).
    pub fn to_json(&self) -> Result<String> {
        let body = Body {
            schema: self.schema.clone(),
            fingerprint: format!("{:016x}", self.schema.fingerprint()),
            objective: self.objective,
            base_margin: self.base_margin,
            rounds: self.trees.len(),
            trees: self.trees.clone(),
        };
        let unwritable =
            |cause| Error::internal("T0402", "model: cannot be written as JSON").cause(cause);
        let checksum = checksum(&serde_json::to_string(&body).map_err(unwritable)?);
        let file = File { format: FORMAT.into(), version: VERSION, checksum, body };
        serde_json::to_string(&file).map_err(unwritable)
    }

    /// Reads what [`Ensemble::to_json`] wrote.
    ///
    /// # Errors
    /// `T0402` when the text is not JSON, of another format or version, changed since it was
    /// written, or describes trees that could not be walked.
    pub fn from_json(text: &str) -> Result<Self> {
        let file: File<Body> = serde_json::from_str(text)
            .map_err(|cause| corrupt("is not a model file").cause(cause))?;
        if file.format != FORMAT || file.version != VERSION {
            return Err(corrupt(&format!(
                "has format '{}' version {}, expected '{FORMAT}' version {VERSION}",
                file.format, file.version
            )));
        }
        let body = file.body;
        let written = serde_json::to_string(&body)
            .map_err(|cause| corrupt("cannot be checked").cause(cause))?;
        if checksum(&written) != file.checksum {
            return Err(corrupt("does not match its checksum"));
        }
        if format!("{:016x}", body.schema.fingerprint()) != body.fingerprint
            || body.rounds != body.trees.len()
        {
            return Err(corrupt("contradicts its own schema fingerprint or number of rounds"));
        }
        Self::new(body.schema, body.objective, body.base_margin, body.trees)
    }
}

fn checksum(text: &str) -> String {
    let mut hash = Fnv::new();
    hash.bytes(text.as_bytes());
    format!("{:016x}", hash.0)
}

fn corrupt(what: &str) -> Error {
    Error::data("T0402", format!("model: the file {what}")).hint("train the model again")
}
