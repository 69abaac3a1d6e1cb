//! Would a result be written over what is read, or over another result?

use std::path::{Path, PathBuf};

use tercet_types::{Error, Result};

use super::DataArguments;
use crate::commands::uplift::file::is_same_place;

impl DataArguments {
    /// The tables that are read.
    pub(in crate::commands) fn inputs(&self) -> Vec<&str> {
        let beside = [&self.test, &self.attributes, &self.customer_attributes];
        let beside = beside.into_iter().flatten().map(String::as_str);
        [self.data.as_str()].into_iter().chain(beside).collect()
    }
}

/// Lets results through whose places are neither read nor each other's.
///
/// # Errors
/// `T1068` naming the place.
pub(in crate::commands) fn written_apart(
    outputs: &[(&str, Option<&str>)],
    inputs: &[&str],
) -> Result<()> {
    let outputs: Vec<(&str, &str)> =
        outputs.iter().filter_map(|(flag, place)| Some((*flag, (*place)?))).collect();
    for (at, (flag, out)) in outputs.iter().enumerate() {
        if inputs.iter().any(|input| is_one_place(out, input)) {
            return Err(Error::config("T1068", format!("{out}: this is what is read"))
                .hint(format!("name another file with --{flag}")));
        }
        if let Some((other, _)) = outputs[..at].iter().find(|(_, place)| is_one_place(out, place)) {
            return Err(Error::config("T1068", format!("{out}: --{other} writes there too"))
                .hint(format!("name another file with --{flag}")));
        }
    }
    Ok(())
}

/// True when two places are one file, be it there already or not.
fn is_one_place(one: &str, other: &str) -> bool {
    is_same_place(one, other) || whole(one).is_some_and(|path| whole(other) == Some(path))
}

/// The path of a file that may not be there yet, in a folder that is.
fn whole(place: &str) -> Option<PathBuf> {
    let path = Path::new(place);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = std::fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
    Some(folder.join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_lie_apart_from_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data.csv");
        std::fs::write(&data, "").unwrap();
        let data = data.to_str().unwrap();
        let beside = |name: &str| format!("{}/./{name}", folder.path().display());
        let check = |out: &str, report: &str, fine: bool| {
            let outputs = [("out", Some(out)), ("report", Some(report)), ("none", None)];
            let found = written_apart(&outputs, &[data]);
            assert_eq!(
                found.map_err(|error| error.code()),
                if fine { Ok(()) } else { Err("T1068") }
            );
        };
        check(&beside("a.json"), &beside("b.html"), true);
        check(&beside("data.csv"), &beside("b.html"), false);
        check(&beside("a.json"), &beside("data.csv"), false);
        check(&beside("new"), folder.path().join("new").to_str().unwrap(), false);
        check("s3://bucket/a", "s3://bucket/a", false);
    }
}
