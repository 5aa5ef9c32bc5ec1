//! Objects as files under a directory: for one machine, and for tests.

use super::{Store, StoreFailure, Trouble};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A directory that holds objects. A `/` of a key is one of a path.
#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
}

/// A file that is written part by part, beside its place until it is whole.
#[derive(Debug)]
pub struct Upload {
    key: String,
    path: PathBuf,
    file: File,
}

impl Files {
    /// The objects of a directory, which is made when the first is written.
    #[must_use]
    pub fn new(root: impl AsRef<Path>) -> Files {
        Files { root: root.as_ref().to_owned() }
    }

    /// The file of a key.
    #[must_use]
    pub fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn create(&self, key: &str) -> std::io::Result<Upload> {
        let path = self.path(key);
        fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
        let file = File::create(beside(&path))?;
        Ok(Upload { key: key.to_owned(), path, file })
    }
}

/// Where a file is written before it takes its place.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

fn refused(key: &str) -> impl Fn(std::io::Error) -> StoreFailure {
    move |_| StoreFailure::new(key, Trouble::Refused)
}

impl Store for Files {
    type Upload = Upload;

    async fn read(&self, key: &str, from: u64, most: u64) -> Result<Option<Vec<u8>>, StoreFailure> {
        let mut file = match File::open(self.path(key)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(key)(error)),
        };
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(from)).and_then(|_| file.take(most).read_to_end(&mut bytes));
        read.map(|_| Some(bytes)).map_err(refused(key))
    }

    async fn stamp(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        let read = std::fs::metadata(self.path(key)).and_then(|file| Ok((file.len(), file.modified()?)));
        match read {
            Ok((length, modified)) => Ok(Some(format!("{length} {modified:?}"))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(key)(error)),
        }
    }

    async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), StoreFailure> {
        let mut upload = self.begin(key).await?;
        self.add(&mut upload, bytes).await?;
        self.finish(upload).await
    }

    async fn begin(&self, key: &str) -> Result<Upload, StoreFailure> {
        self.create(key).map_err(refused(key))
    }

    async fn add(&self, upload: &mut Upload, part: Vec<u8>) -> Result<(), StoreFailure> {
        upload.file.write_all(&part).map_err(refused(&upload.key))
    }

    async fn finish(&self, upload: Upload) -> Result<(), StoreFailure> {
        fs::rename(beside(&upload.path), &upload.path).map_err(refused(&upload.key))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Output;
    use super::*;

    #[tokio::test]
    async fn an_object_appears_when_it_is_whole() {
        let files = Files::new(std::env::temp_dir().join(format!("rollcall-files-{}", std::process::id())));
        assert_eq!(files.read("a/b", 0, 9).await, Ok(None));
        let mut output = Output::new(&files, "a/b");
        output.add(&vec![b'x'; 6 * 1024 * 1024]).await.unwrap();
        assert_eq!(files.read("a/b", 0, 9).await, Ok(None), "not yet");
        assert_eq!(files.stamp("a/b").await, Ok(None));
        output.add(b"end").await.unwrap();
        assert_eq!(output.finish().await, Ok(6 * 1024 * 1024 + 3));
        assert_eq!(files.read("a/b", 6 * 1024 * 1024 - 1, 9).await, Ok(Some(b"xend".to_vec())));
        assert_eq!(files.read("a/b", 9 * 1024 * 1024, 9).await, Ok(Some(Vec::new())));
        let stamp = files.stamp("a/b").await.unwrap().unwrap();
        files.write("a/b", b"another".to_vec()).await.unwrap();
        assert_ne!(files.stamp("a/b").await, Ok(Some(stamp)));
        fs::remove_dir_all(files.path("")).unwrap();
    }
}
