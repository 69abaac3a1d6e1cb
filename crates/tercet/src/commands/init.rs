//! How does a new project start?

use std::path::{Path, PathBuf};

use clap::Args;
use tercet_types::{Error, Result};

use super::Shared;
use crate::examples::{EXAMPLES, Example, example};
use crate::output::print;

/// `tercet init`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tercet init shop\n  tercet init shop --example complete-journey"
)]
pub(crate) struct InitArguments {
    /// The folder of the new project
    folder: PathBuf,
    /// The example it starts from: starter or complete-journey
    #[arg(long, default_value = EXAMPLES[0].name, value_name = "NAME")]
    example: String,
}

/// Makes a project; never overwrites a file.
pub(crate) fn init(verb: &InitArguments, shared: &Shared) -> Result<()> {
    let chosen = example(&verb.example).ok_or_else(|| {
        let names: Vec<&str> = EXAMPLES.iter().map(|example| example.name).collect();
        Error::config("T1010", format!("there is no example '{}'", verb.example))
            .hint(format!("the examples are {}", names.join(" and ")))
    })?;
    write_example(chosen, &verb.folder)?;
    let folder = verb.folder.display();
    print(format!("{folder}: {}", chosen.about))?;
    shared.progress().say(&format!(
        "next: tercet check --project {folder}\n      tercet run --project {folder}"
    ));
    Ok(())
}

/// Writes the files of an example; files that are there already and equal stay.
///
/// # Errors
/// `T1011` (conflict) before anything is written, when a file of another content is in the way.
pub(crate) fn write_example(example: &Example, folder: &Path) -> Result<()> {
    for file in example.files {
        let path = folder.join(file.path);
        if path.exists() && std::fs::read(&path).ok().as_deref() != Some(file.bytes) {
            return Err(Error::conflict("T1011", format!("{} is already there", path.display()))
                .hint("name an empty folder (for the demo: --dir), or delete the file"));
        }
    }
    for file in example.files {
        let path = folder.join(file.path);
        let failed = |cause: std::io::Error| {
            Error::unavailable("T1008", format!("{}: cannot be written", path.display()))
                .cause(cause)
        };
        if path.exists() {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        // Under another name first: a file under its own name is whole.
        let partial = path.with_extension("partial");
        std::fs::write(&partial, file.bytes)
            .and_then(|()| std::fs::rename(&partial, &path))
            .map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_written_once_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let starter = &EXAMPLES[0];
        write_example(starter, folder.path()).unwrap();
        write_example(starter, folder.path()).unwrap();
        std::fs::write(folder.path().join("tercet.toml"), "# mine").unwrap();
        assert_eq!(write_example(starter, folder.path()).unwrap_err().code(), "T1011");
        assert_eq!(std::fs::read(folder.path().join("tercet.toml")).unwrap(), b"# mine");
    }
}
