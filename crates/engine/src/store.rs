//! How do files get into a store whole or not at all?

use std::path::PathBuf;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ListResult, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tercet_types::{Error, Result};
use tokio::runtime::Runtime;

use crate::failure::store_failure;
use crate::leftovers;
use crate::parquet_file::to_parquet;
use crate::{Frame, Location};

/// What stands in a manifest about one file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileFact {
    /// The path below the store's root.
    pub path: String,
    /// Rows, for tables.
    pub rows: Option<u64>,
    /// Size.
    pub bytes: u64,
    /// BLAKE3 of the content, hexadecimal.
    pub blake3: String,
}

/// A folder on a local disk or an object store. Every put is atomic: readers see all of a file or
/// nothing; [`Store::create`] has exactly one winner.
#[derive(Clone)]
pub struct Store {
    runtime: Arc<Runtime>,
    inner: Arc<dyn ObjectStore>,
    root: Path,
    place: String,
    /// The folder, when the store is one on a local disk.
    folder: Option<PathBuf>,
}

impl Store {
    pub(crate) fn new(
        runtime: Arc<Runtime>,
        inner: Arc<dyn ObjectStore>,
        location: &Location,
    ) -> Result<Self> {
        let root = Path::from_url_path(location.url().path()).map_err(|cause| {
            Error::config("T0909", format!("'{}' is not a place", location.url())).cause(cause)
        })?;
        // In a bucket URL the host is the bucket; the path starts below it.
        let folder = location.local().map(ToOwned::to_owned);
        Ok(Self { runtime, inner, root, place: location.url().to_string(), folder })
    }

    fn path(&self, path: &str) -> Path {
        path.split('/')
            .filter(|part| !part.is_empty())
            .fold(self.root.clone(), |p, part| p.join(part))
    }

    /// What a writer of parts needs: the runtime, the client, and where the file goes.
    pub(crate) fn parts(&self, path: &str) -> (Arc<Runtime>, Arc<dyn ObjectStore>, Path) {
        (Arc::clone(&self.runtime), Arc::clone(&self.inner), self.path(path))
    }

    fn named(&self, path: &str) -> String {
        format!("{}/{path}", self.place.trim_end_matches('/'))
    }

    /// Where a file of the store is, as its user would name it: a path, or a URL.
    pub fn place_of(&self, path: &str) -> String {
        match &self.folder {
            Some(folder) => folder.join(path).display().to_string(),
            None => self.named(path),
        }
    }

    /// Where the store is.
    pub fn place(&self) -> &str {
        &self.place
    }

    fn write(
        &self,
        path: &str,
        bytes: Vec<u8>,
        rows: Option<u64>,
        mode: PutMode,
    ) -> Result<FileFact> {
        let fact = FileFact {
            path: path.to_owned(),
            rows,
            bytes: bytes.len() as u64,
            blake3: blake3::hash(&bytes).to_hex().to_string(),
        };
        let options = PutOptions { mode, ..PutOptions::default() };
        let target = self.path(path);
        self.runtime
            .block_on(self.inner.put_opts(&target, PutPayload::from(bytes), options))
            .map_err(|failure| store_failure(&self.named(path), failure))?;
        if let Some(folder) = &self.folder {
            leftovers::delete_old_of(&folder.join(path));
        }
        Ok(fact)
    }

    /// Writes a file, replacing one that is there.
    pub fn put(&self, path: &str, bytes: Vec<u8>) -> Result<FileFact> {
        self.write(path, bytes, None, PutMode::Overwrite)
    }

    /// Writes a file that must not be there yet.
    ///
    /// # Errors
    /// `T0907` (conflict) when it is.
    pub fn create(&self, path: &str, bytes: Vec<u8>) -> Result<FileFact> {
        self.write(path, bytes, None, PutMode::Create)
    }

    /// Writes a frame as a Parquet file; equal frames give equal bytes.
    pub fn put_table(&self, path: &str, frame: &Frame) -> Result<FileFact> {
        self.write(path, to_parquet(frame)?, Some(frame.rows() as u64), PutMode::Overwrite)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `T0906` (not found) when there is none.
    pub fn get(&self, path: &str) -> Result<Vec<u8>> {
        let target = self.path(path);
        self.runtime
            .block_on(async { self.inner.get(&target).await?.bytes().await })
            .map(|bytes| bytes.to_vec())
            .map_err(|failure| store_failure(&self.named(path), failure))
    }

    /// Reads a file, or `None` when there is none. A bucket that is not there is an error all the same.
    pub fn get_if_there(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match self.get(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.code() == "T0906" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Paths of all files below `prefix`, relative to the store, sorted.
    pub fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let target = self.path(prefix);
        let found: Vec<_> = self
            .runtime
            .block_on(self.inner.list(Some(&target)).try_collect())
            .map_err(|failure| store_failure(&self.named(prefix), failure))?;
        let root = self.root.as_ref();
        let mut paths: Vec<String> = found
            .into_iter()
            .map(|meta| meta.location.as_ref()[root.len()..].trim_start_matches('/').to_owned())
            .collect();
        paths.sort_unstable();
        Ok(paths)
    }

    /// Names of the folders directly below `prefix`, sorted.
    pub fn folders(&self, prefix: &str) -> Result<Vec<String>> {
        Ok(names(self.directly_below(prefix)?.common_prefixes.iter()))
    }

    /// Names of the files directly below `prefix`, sorted.
    pub fn files(&self, prefix: &str) -> Result<Vec<String>> {
        Ok(names(self.directly_below(prefix)?.objects.iter().map(|meta| &meta.location)))
    }

    fn directly_below(&self, prefix: &str) -> Result<ListResult> {
        let target = self.path(prefix);
        self.runtime
            .block_on(self.inner.list_with_delimiter(Some(&target)))
            .map_err(|failure| store_failure(&self.named(prefix), failure))
    }

    /// Deletes one file; a file that is not there is no error.
    pub fn delete(&self, path: &str) -> Result<()> {
        let target = self.path(path);
        match self.runtime.block_on(self.inner.delete(&target)) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(failure) => Err(store_failure(&self.named(path), failure)),
        }
    }

    /// Deletes all files below `prefix`, and what broken-off writes left there.
    pub fn delete_all(&self, prefix: &str) -> Result<()> {
        for path in self.list(prefix)? {
            self.delete(&path)?;
        }
        self.delete_leftovers(prefix)
    }

    /// Deletes what processes that died in the middle of a write left below `prefix`. On a local disk
    /// that is the file under its temporary name, which no list shows; object stores keep nothing.
    ///
    /// Nobody else may be writing below `prefix`: the caller holds the lock.
    pub fn delete_leftovers(&self, prefix: &str) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        leftovers::delete_below(&folder.join(prefix)).map_err(|cause| {
            Error::unavailable("T0903", format!("{}: cannot be tidied", self.named(prefix)))
                .hint("check that you may write there, then run the same command again: it resumes")
                .cause(cause)
        })
    }
}

/// The last names of paths, sorted.
fn names<'a>(paths: impl Iterator<Item = &'a Path>) -> Vec<String> {
    let mut names: Vec<String> =
        paths.filter_map(|path| path.filename().map(str::to_owned)).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, EngineOptions};

    #[test]
    fn one_creator_wins_and_lists_are_relative() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new("runs", folder.path()).unwrap()).unwrap();
        assert_eq!(store.folders("").unwrap(), Vec::<String>::new());
        assert_eq!(store.files("").unwrap(), Vec::<String>::new());
        store.create("a/manifest.json", b"1".to_vec()).unwrap();
        let again = store.create("a/manifest.json", b"2".to_vec()).unwrap_err();
        assert_eq!(again.code(), "T0907");
        assert_eq!(store.get("a/manifest.json").unwrap(), b"1");
        store.put("b/c/d.txt", b"3".to_vec()).unwrap();
        assert_eq!(store.list("").unwrap(), ["a/manifest.json", "b/c/d.txt"]);
        assert_eq!(store.folders("").unwrap(), ["a", "b"]);
        assert_eq!(store.files("b/c").unwrap(), ["d.txt"]);
        assert_eq!(store.files("b").unwrap(), Vec::<String>::new());
        store.delete_all("b").unwrap();
        assert!(store.get_if_there("b/c/d.txt").unwrap().is_none());
    }

    #[test]
    fn what_a_death_in_the_middle_of_a_write_leaves_is_deleted_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new("runs", folder.path()).unwrap()).unwrap();
        for path in ["a/manifest.json", "a/delivery/offers.csv", "b/manifest.json"] {
            store.put(path, b"whole".to_vec()).unwrap();
        }
        let disk = folder.path().join("runs");
        let left = ["a/manifest.json#1", "a/delivery/offers.csv#1", "a/delivery/offers.csv#12"];
        for name in left.iter().chain(&["a/notes #1 and #2", "a/c#", "b/manifest.json#1"]) {
            std::fs::write(disk.join(name), b"ha").unwrap();
        }
        store.delete_leftovers("a").unwrap();
        store.delete_leftovers("nowhere").unwrap();
        for name in left {
            assert!(!disk.join(name).exists(), "{name}");
        }
        for name in ["a/manifest.json", "a/delivery/offers.csv", "a/notes #1 and #2", "a/c#"] {
            assert!(disk.join(name).exists(), "{name}");
        }
        assert!(disk.join("b/manifest.json#1").exists(), "another's prefix was tidied");
        store.delete_all("b").unwrap();
        assert!(!disk.join("b/manifest.json#1").exists());
    }

    #[test]
    fn a_write_tidies_old_leftovers_of_its_own_name_and_lets_young_ones_be() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new(".", folder.path()).unwrap()).unwrap();
        let disk = |name: &str| folder.path().join(name);
        for name in ["latest.json#1", "latest.json#2", "other.json#1"] {
            std::fs::write(disk(name), b"ha").unwrap();
        }
        // Two hours before it was written: a dead one. The other may be somebody's at work.
        let old = std::fs::File::options().write(true).open(disk("latest.json#1")).unwrap();
        let written = old.metadata().unwrap().modified().unwrap();
        old.set_modified(written - std::time::Duration::from_secs(7_200)).unwrap();
        store.put("latest.json", b"whole".to_vec()).unwrap();
        assert!(!disk("latest.json#1").exists());
        assert!(disk("latest.json#2").exists() && disk("other.json#1").exists());
        assert_eq!(store.get("latest.json").unwrap(), b"whole");
    }

    #[test]
    fn equal_frames_give_equal_bytes() {
        let frame = Frame::of(vec![("x", vec![1_i64, 2, 3].into())]).unwrap();
        assert_eq!(to_parquet(&frame).unwrap(), to_parquet(&frame.clone()).unwrap());
    }
}
