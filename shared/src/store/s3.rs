//! Objects in a bucket of Amazon S3.

use super::{Store, StoreFailure, Trouble};
use crate::failure::{ServiceError, classify};
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
}

/// An object that is written part by part. What is never finished is removed by the bucket's lifecycle rule.
#[derive(Debug)]
pub struct Upload {
    key: String,
    id: String,
    parts: Vec<CompletedPart>,
}

impl Bucket {
    /// A bucket by its name.
    #[must_use]
    pub fn new(config: &SdkConfig, name: String) -> Bucket {
        let config = aws_sdk_s3::config::Builder::from(config)
            // A bucket's name in the path works for every name and for a local S3.
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        Bucket { client: Client::from_conf(config), name }
    }
}

/// What an error of S3 means.
fn trouble<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Trouble {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    let status = error.raw_response().map(|response| response.status().as_u16());
    match classify(code, status) {
        ServiceError::Throttled | ServiceError::Unknown => Trouble::Unanswered,
        ServiceError::NotFound => Trouble::Missing,
        ServiceError::Refused if matches!(code, Some("NoSuchKey" | "NoSuchBucket")) => Trouble::Missing,
        ServiceError::Refused => Trouble::Refused,
    }
}

fn failed<E: ProvideErrorMetadata>(key: &str, error: &SdkError<E, HttpResponse>) -> StoreFailure {
    StoreFailure::new(key, trouble(error))
}

impl Store for Bucket {
    type Upload = Upload;

    async fn read(&self, key: &str, from: u64, most: u64) -> Result<Option<Vec<u8>>, StoreFailure> {
        let request = self.client.get_object().bucket(&self.name).key(key);
        let request = match (from, most) {
            (0, u64::MAX) => request,
            (from, most) => request.range(format!("bytes={from}-{}", from.saturating_add(most).saturating_sub(1))),
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            // A range that begins after the end.
            Err(error) if error.raw_response().is_some_and(|it| it.status().as_u16() == 416) => {
                return Ok(Some(Vec::new()));
            }
            Err(error) => match trouble(&error) {
                Trouble::Missing => return Ok(None),
                trouble @ (Trouble::Unanswered | Trouble::Refused | Trouble::Unreadable) => {
                    return Err(StoreFailure::new(key, trouble));
                }
            },
        };
        let body = answer.body.collect().await.map_err(|_| StoreFailure::new(key, Trouble::Unanswered))?;
        Ok(Some(body.to_vec()))
    }

    async fn stamp(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        match self.client.head_object().bucket(&self.name).key(key).send().await {
            Ok(answer) => Ok(Some(answer.e_tag.unwrap_or_default())),
            Err(error) => match trouble(&error) {
                Trouble::Missing => Ok(None),
                trouble @ (Trouble::Unanswered | Trouble::Refused | Trouble::Unreadable) => {
                    Err(StoreFailure::new(key, trouble))
                }
            },
        }
    }

    async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), StoreFailure> {
        let request = self.client.put_object().bucket(&self.name).key(key).body(ByteStream::from(bytes));
        request.send().await.map(drop).map_err(|error| failed(key, &error))
    }

    async fn begin(&self, key: &str) -> Result<Upload, StoreFailure> {
        let answer = self.client.create_multipart_upload().bucket(&self.name).key(key).send().await;
        let id = answer.map_err(|error| failed(key, &error))?.upload_id;
        let id = id.ok_or_else(|| StoreFailure::new(key, Trouble::Unanswered))?;
        Ok(Upload { key: key.to_owned(), id, parts: Vec::new() })
    }

    async fn add(&self, upload: &mut Upload, part: Vec<u8>) -> Result<(), StoreFailure> {
        let number = i32::try_from(upload.parts.len() + 1).unwrap_or(i32::MAX);
        let request = self.client.upload_part().bucket(&self.name).key(&upload.key).upload_id(&upload.id);
        let answer = request.part_number(number).body(ByteStream::from(part)).send().await;
        let tag = answer.map_err(|error| failed(&upload.key, &error))?.e_tag;
        upload.parts.push(CompletedPart::builder().part_number(number).set_e_tag(tag).build());
        Ok(())
    }

    async fn finish(&self, upload: Upload) -> Result<(), StoreFailure> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(upload.parts)).build();
        let request = self.client.complete_multipart_upload().bucket(&self.name).key(&upload.key);
        let answer = request.upload_id(&upload.id).multipart_upload(parts).send().await;
        answer.map(drop).map_err(|error| failed(&upload.key, &error))
    }
}
