//! The port to objects: what the audit and the roster keep between two steps, and what they write for people.
//!
//! Amazon S3 stands behind it on AWS ([`s3::Bucket`]), a directory on one machine ([`files::Files`]). Keys name no people.

pub mod files;
pub(crate) mod pipe;
pub mod s3;

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use thiserror::Error;

/// How much of an object is added at once. S3 takes parts of 5 MiB at least.
const PART: usize = 5 * 1024 * 1024;

/// Something did not work with an object.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{key}: {trouble}")]
pub struct StoreFailure {
    /// Which object.
    pub key: String,
    /// What did not work.
    pub trouble: Trouble,
}

/// What did not work with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    /// It is not there, and should be.
    #[error("is not there")]
    Missing,
    /// No answer, or too many requests: trying again may help.
    #[error("no answer; try again")]
    Unanswered,
    /// The store says no: the role, the key or the disk has to be mended.
    #[error("the store refuses; see whether the role, the bucket and its key allow it")]
    Refused,
    /// It is not what was written there.
    #[error("is not what was written there")]
    Unreadable,
}

impl StoreFailure {
    /// A failure with an object.
    #[must_use]
    pub fn new(key: &str, trouble: Trouble) -> StoreFailure {
        StoreFailure { key: key.to_owned(), trouble }
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.trouble {
            Trouble::Unanswered => true,
            Trouble::Missing | Trouble::Refused | Trouble::Unreadable => false,
        }
    }
}

/// Objects by key. An object appears whole or not at all; writing it again replaces it.
pub trait Store {
    /// An object that is written part by part.
    type Upload;

    /// Reads `most` bytes from a position: fewer at the end, none after it. `None` where there is no such object.
    fn read(
        &self,
        key: &str,
        from: u64,
        most: u64,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreFailure>> + Send;

    /// What tells this content of an object from any other that it had; `None` where there is no such object.
    fn stamp(&self, key: &str) -> impl Future<Output = Result<Option<String>, StoreFailure>> + Send;

    /// Writes an object.
    fn write(&self, key: &str, bytes: Vec<u8>) -> impl Future<Output = Result<(), StoreFailure>> + Send;

    /// Begins an object that is written part by part.
    fn begin(&self, key: &str) -> impl Future<Output = Result<Self::Upload, StoreFailure>> + Send;

    /// Adds a part, of 5 MiB at least unless it is the last.
    fn add(&self, upload: &mut Self::Upload, part: Vec<u8>) -> impl Future<Output = Result<(), StoreFailure>> + Send;

    /// Ends it: now it is there.
    fn finish(&self, upload: Self::Upload) -> impl Future<Output = Result<(), StoreFailure>> + Send;
}

/// Reads an object of JSON; `None` where there is none.
///
/// # Errors
/// [`StoreFailure`], also where it is no such JSON.
pub async fn read_json<T: DeserializeOwned>(store: &impl Store, key: &str) -> Result<Option<T>, StoreFailure> {
    let Some(bytes) = store.read(key, 0, u64::MAX).await? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|_| StoreFailure::new(key, Trouble::Unreadable))
}

/// Reads an object of JSON that must be there.
///
/// # Errors
/// [`StoreFailure`], also where it is not there.
pub async fn must_read_json<T: DeserializeOwned>(store: &impl Store, key: &str) -> Result<T, StoreFailure> {
    read_json(store, key).await?.ok_or_else(|| StoreFailure::new(key, Trouble::Missing))
}

/// Writes an object of JSON.
///
/// # Errors
/// [`StoreFailure`].
pub async fn write_json(store: &impl Store, key: &str, value: &impl Serialize) -> Result<(), StoreFailure> {
    let bytes = serde_json::to_vec(value).map_err(|_| StoreFailure::new(key, Trouble::Unreadable))?;
    store.write(key, bytes).await
}

/// An object of any size that is written from its start to its end, with a part of it in memory.
#[derive(Debug)]
pub struct Output<'s, S: Store> {
    store: &'s S,
    key: String,
    upload: Option<S::Upload>,
    buffer: Vec<u8>,
    written: u64,
}

impl<'s, S: Store> Output<'s, S> {
    /// Begins an object.
    #[must_use]
    pub fn new(store: &'s S, key: &str) -> Output<'s, S> {
        Output { store, key: key.to_owned(), upload: None, buffer: Vec::new(), written: 0 }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`StoreFailure`].
    pub async fn add(&mut self, bytes: &[u8]) -> Result<(), StoreFailure> {
        self.buffer.extend_from_slice(bytes);
        self.written += bytes.len() as u64;
        if self.buffer.len() < PART {
            return Ok(());
        }
        if self.upload.is_none() {
            self.upload = Some(self.store.begin(&self.key).await?);
        }
        if let Some(upload) = &mut self.upload {
            self.store.add(upload, std::mem::take(&mut self.buffer)).await?;
        }
        Ok(())
    }

    /// Ends the object: now it is there. Answers its length in bytes.
    ///
    /// # Errors
    /// [`StoreFailure`].
    pub async fn finish(mut self) -> Result<u64, StoreFailure> {
        match self.upload.take() {
            None => self.store.write(&self.key, self.buffer).await?,
            Some(mut upload) => {
                if !self.buffer.is_empty() {
                    self.store.add(&mut upload, self.buffer).await?;
                }
                self.store.finish(upload).await?;
            }
        }
        Ok(self.written)
    }
}
