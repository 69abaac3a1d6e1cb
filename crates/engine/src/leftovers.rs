//! What does a process leave that dies in the middle of a local write, and when may it go?
//!
//! On a local disk a file is written as `name#1` (`#2` when that is taken) and then renamed. Names that
//! end so are shown by no list of the store, so a leftover would stay for ever.

use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The age from which a temporary file next to a whole one of its name is nobody's.
const OLD: Duration = Duration::from_secs(3_600);

/// The most leftovers of one name that are looked at.
const LEFTOVERS_MAX: usize = 16;

/// Deletes all temporary files below a folder. The caller is the only one who writes there.
pub(crate) fn delete_below(folder: &Path) -> Result<()> {
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let entries = match std::fs::read_dir(&next) {
            Ok(entries) => entries,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                continue;
            }
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            // Of a link this is the link itself: what lies elsewhere is not ours.
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() && is_temporary(&entry.file_name().to_string_lossy()) {
                delete(&entry.path())?;
            }
        }
    }
    Ok(())
}

/// Deletes the temporary files of a file just written that are much older than it. Younger ones may
/// be somebody else's write of the same file, still going on. What cannot be deleted is no failure of
/// the write.
pub(crate) fn delete_old_of(written: &Path) {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|found| found.modified());
    let Ok(now) = modified(written) else { return };
    for number in 1..=LEFTOVERS_MAX {
        let mut name = written.as_os_str().to_owned();
        name.push(format!("#{number}"));
        let path = PathBuf::from(name);
        // Numbers are given in turn: after the first free one there is none.
        let Ok(then) = modified(&path) else { return };
        if now.duration_since(then).is_ok_and(|age| age > OLD) {
            let _ = delete(&path);
        }
    }
}

/// True for `name#1`, as the store calls a file while it is written.
fn is_temporary(name: &str) -> bool {
    name.split_once('#').is_some_and(|(whole, number)| {
        !whole.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn delete(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
