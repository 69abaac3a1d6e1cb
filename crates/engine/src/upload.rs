//! How does a file that is larger than memory reach a store?

use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tercet_types::{Error, Result};

use crate::failure::store_failure;
use crate::{FileFact, Store};

/// Bytes of a part; object stores take no smaller ones than 5 MiB but for the last.
pub(crate) const PART_BYTES: usize = 8 << 20;

/// Writes one file piece by piece. The file is there once [`FileWriter::finish`] returned, and not before.
pub struct FileWriter {
    store: Store,
    path: String,
    /// What is not a part yet.
    waiting: Vec<u8>,
    upload: Option<Box<dyn MultipartUpload>>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Store {
    /// Begins a file at `path`, replacing one that is there when it is finished.
    pub fn file_writer(&self, path: &str) -> FileWriter {
        FileWriter {
            store: self.clone(),
            path: path.to_owned(),
            waiting: Vec::new(),
            upload: None,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        }
    }
}

impl FileWriter {
    /// Adds bytes.
    ///
    /// # Errors
    /// `T0903` and its like when the store fails.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.waiting.extend_from_slice(bytes);
        while self.waiting.len() >= PART_BYTES {
            let rest = self.waiting.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.waiting, rest);
            self.part(part)?;
        }
        Ok(())
    }

    fn failed(&self, failure: object_store::Error) -> Error {
        store_failure(&self.store.place_of(&self.path), failure)
    }

    fn part(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.hasher.update(&bytes);
        self.bytes += bytes.len() as u64;
        let (runtime, inner, target) = self.store.parts(&self.path);
        if self.upload.is_none() {
            let begun = runtime.block_on(inner.put_multipart(&target));
            self.upload = Some(begun.map_err(|failure| self.failed(failure))?);
        }
        if let Some(upload) = &mut self.upload {
            let sent = runtime.block_on(upload.put_part(PutPayload::from(bytes)));
            sent.map_err(|failure| self.failed(failure))?;
        }
        Ok(())
    }

    /// Ends the file: now it is there.
    ///
    /// # Errors
    /// `T0903` and its like when the store fails.
    pub fn finish(mut self) -> Result<FileFact> {
        let last = std::mem::take(&mut self.waiting);
        if self.upload.is_none() {
            return self.store.put(&self.path, last);
        }
        // A store may refuse a part that holds nothing.
        if !last.is_empty() {
            self.part(last)?;
        }
        let (runtime, _, _) = self.store.parts(&self.path);
        if let Some(upload) = &mut self.upload {
            let done = runtime.block_on(upload.complete());
            done.map_err(|failure| self.failed(failure))?;
        }
        self.upload = None;
        Ok(FileFact {
            path: self.path.clone(),
            rows: None,
            bytes: self.bytes,
            blake3: self.hasher.finalize().to_hex().to_string(),
        })
    }

    #[cfg(test)]
    pub(crate) const fn has_begun(&self) -> bool {
        self.upload.is_some()
    }
}

impl Drop for FileWriter {
    /// What was begun and not finished is taken back, as far as the store answers.
    fn drop(&mut self) {
        if let Some(mut upload) = self.upload.take() {
            let (runtime, _, _) = self.store.parts(&self.path);
            let _ = runtime.block_on(upload.abort());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures::future::BoxFuture;
    use object_store::{PutResult, UploadPart};

    use super::*;
    use crate::{Engine, EngineOptions, Location};

    /// Notes how large each part is, and passes it on.
    #[derive(Debug)]
    struct Noted(Arc<Mutex<Vec<usize>>>, Box<dyn MultipartUpload>);

    impl MultipartUpload for Noted {
        fn put_part(&mut self, data: PutPayload) -> UploadPart {
            self.0.lock().unwrap().push(data.content_length());
            self.1.put_part(data)
        }

        fn complete<'a, 'b>(&'a mut self) -> BoxFuture<'b, object_store::Result<PutResult>>
        where
            'a: 'b,
            Self: 'b,
        {
            self.1.complete()
        }

        fn abort<'a, 'b>(&'a mut self) -> BoxFuture<'b, object_store::Result<()>>
        where
            'a: 'b,
            Self: 'b,
        {
            self.1.abort()
        }
    }

    #[test]
    fn pieces_become_one_file_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new(".", folder.path()).unwrap()).unwrap();
        let all: Vec<u8> = (0..PART_BYTES as u32 * 2).map(|at| (at % 251) as u8).collect();
        for bytes in [0, 5, PART_BYTES, PART_BYTES * 2] {
            let mut writer = store.file_writer("a.bin");
            all[..bytes].chunks(70_001).for_each(|piece| writer.write(piece).unwrap());
            let fact = writer.finish().unwrap();
            assert_eq!(store.get("a.bin").unwrap(), all[..bytes]);
            let expect = (bytes as u64, blake3::hash(&all[..bytes]).to_hex().to_string());
            assert_eq!((fact.bytes, fact.blake3), expect);
        }
        for (bytes, expect) in [
            (PART_BYTES, vec![PART_BYTES]),
            (PART_BYTES + 5, vec![PART_BYTES, 5]),
            (PART_BYTES * 2, vec![PART_BYTES; 2]),
        ] {
            let sizes = Arc::<Mutex<Vec<usize>>>::default();
            let mut writer = store.file_writer("a.bin");
            let (runtime, inner, target) = store.parts("a.bin");
            let begun = runtime.block_on(inner.put_multipart(&target)).unwrap();
            writer.upload = Some(Box::new(Noted(Arc::clone(&sizes), begun)));
            writer.write(&all[..bytes]).unwrap();
            writer.finish().unwrap();
            assert_eq!(*sizes.lock().unwrap(), expect, "no part without bytes");
            assert_eq!(store.get("a.bin").unwrap(), all[..bytes]);
        }
        let mut writer = store.file_writer("b.bin");
        writer.write(&all).unwrap();
        drop(writer);
        assert!(store.get_if_there("b.bin").unwrap().is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
