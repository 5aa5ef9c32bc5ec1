//! A bucket in memory that counts, loses answers, and lets a file be replaced while it is read.

use rollcall::store::{Store, StoreFailure, Trouble};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug, Default)]
pub(crate) struct TestBucket(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, (u64, Vec<u8>)>,
    written: u64,
    failing: usize,
    replacement: Option<(String, Vec<u8>)>,
    largest_read: usize,
    largest_write: usize,
}

impl TestBucket {
    /// The keys under a prefix, in order.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.0.lock().unwrap().objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    /// So many reads get no answer from here.
    pub(crate) fn fail_reads(&self, times: usize) {
        self.0.lock().unwrap().failing = times;
    }

    /// The object is another once its first bytes were read.
    pub(crate) fn replace_after_first_read(&self, key: &str, bytes: Vec<u8>) {
        self.0.lock().unwrap().replacement = Some((key.to_owned(), bytes));
    }

    /// The most bytes that were read and written at once.
    pub(crate) fn largest(&self) -> (usize, usize) {
        let state = self.0.lock().unwrap();
        (state.largest_read, state.largest_write)
    }

    fn put(&self, key: &str, bytes: Vec<u8>) {
        let mut state = self.0.lock().unwrap();
        state.written += 1;
        let stamp = state.written;
        state.objects.insert(key.to_owned(), (stamp, bytes));
    }
}

/// An object that is written part by part.
pub(crate) struct Upload {
    key: String,
    bytes: Vec<u8>,
}

impl Store for TestBucket {
    type Upload = Upload;

    async fn read(&self, key: &str, from: u64, most: u64) -> Result<Option<Vec<u8>>, StoreFailure> {
        let (bytes, replacement) = {
            let mut state = self.0.lock().unwrap();
            if state.failing > 0 {
                state.failing -= 1;
                return Err(StoreFailure::new(key, Trouble::Unanswered));
            }
            let Some((_, object)) = state.objects.get(key) else { return Ok(None) };
            let from = usize::try_from(from).unwrap().min(object.len());
            let to = from.saturating_add(usize::try_from(most).unwrap()).min(object.len());
            let bytes = object[from..to].to_vec();
            state.largest_read = state.largest_read.max(bytes.len());
            (bytes, state.replacement.take_if(|(replaced, _)| replaced == key))
        };
        if let Some((key, bytes)) = replacement {
            self.put(&key, bytes);
        }
        Ok(Some(bytes))
    }

    async fn stamp(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        Ok(self.0.lock().unwrap().objects.get(key).map(|(stamp, _)| stamp.to_string()))
    }

    async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), StoreFailure> {
        {
            let mut state = self.0.lock().unwrap();
            state.largest_write = state.largest_write.max(bytes.len());
        }
        self.put(key, bytes);
        Ok(())
    }

    async fn begin(&self, key: &str) -> Result<Upload, StoreFailure> {
        Ok(Upload { key: key.to_owned(), bytes: Vec::new() })
    }

    async fn add(&self, upload: &mut Upload, part: Vec<u8>) -> Result<(), StoreFailure> {
        let mut state = self.0.lock().unwrap();
        state.largest_write = state.largest_write.max(part.len());
        upload.bytes.extend(part);
        Ok(())
    }

    async fn finish(&self, upload: Upload) -> Result<(), StoreFailure> {
        self.put(&upload.key, upload.bytes);
        Ok(())
    }
}
