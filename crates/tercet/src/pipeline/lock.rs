//! Is somebody else running this project?

use std::fs::File;
use std::path::Path;

use fd_lock::{RwLock, RwLockWriteGuard};
use tercet_types::{Error, Result};

/// The lock file of a project; the operating system frees it when its process ends, however it ends.
const LOCK_FILE: &str = ".tercet.lock";

/// Runs `work` while no other process runs this project.
///
/// # Errors
/// `T1007` (conflict) when one does; `T1008` when the folder cannot be written.
pub(crate) fn exclusively<T>(folder: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let path = folder.join(LOCK_FILE);
    let file =
        File::options().create(true).truncate(false).write(true).open(&path).map_err(|cause| {
            Error::unavailable("T1008", format!("{}: cannot be written", path.display()))
                .hint("the project's folder must be writable")
                .cause(cause)
        })?;
    let mut lock = RwLock::new(file);
    let _guard: RwLockWriteGuard<'_, File> = lock.try_write().map_err(|cause| {
        Error::conflict(
            "T1007",
            format!("another run of this project is under way ({})", path.display()),
        )
        .hint("wait until it is done; it can be watched with 'tercet runs'")
        .cause(cause)
    })?;
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_and_the_third_gets_in() {
        let folder = tempfile::tempdir().unwrap();
        let inner =
            exclusively(folder.path(), || Ok(exclusively(folder.path(), || Ok(())))).unwrap();
        assert_eq!(inner.unwrap_err().code(), "T1007");
        exclusively(folder.path(), || Ok(())).unwrap();
    }
}
