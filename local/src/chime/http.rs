//! Requests and answers without a network.

use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A request, as far as the API reads it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path, still percent-encoded: it is split before it is decoded.
    pub path: String,
    /// The query, still encoded, without `?`.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// A `Content-Length` or a chunked body was announced.
    pub has_length: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The exception's name, for the header `x-amzn-errortype`: without it the Rust SDK cannot tell errors apart.
    pub error_type: Option<&'static str>,
    /// The body; `None` for 204.
    pub body: Option<Value>,
}

/// What the service does with a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// It answers.
    Answer(Response),
    /// It answers late. What was asked took effect before the wait.
    Late(Duration, Response),
    /// It closes the connection without a word.
    Cut,
}

impl Response {
    /// A success with a body.
    #[must_use]
    pub fn ok(body: Value) -> Response {
        Response { status: 200, error_type: None, body: Some(body) }
    }

    /// A success that made something.
    #[must_use]
    pub fn created(body: Value) -> Response {
        Response { status: 201, ..Response::ok(body) }
    }

    /// A success without a body.
    #[must_use]
    pub fn no_content() -> Response {
        Response { status: 204, error_type: None, body: None }
    }
}

/// An error of the API: its exception, HTTP status and `Code` go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// Which one.
    pub exception: Exception,
    /// What was wrong. It names the member, never its value.
    pub message: String,
}

/// The exceptions: those that the service model lists for these operations, and two that choices can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// 400.
    BadRequest,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 411. Not in the model.
    LengthRequired,
    /// 422.
    Unprocessable,
    /// 400, under a name that is not in the model.
    Validation,
    /// 429.
    Throttled,
    /// 500.
    ServiceFailure,
    /// 503.
    ServiceUnavailable,
}

impl Exception {
    /// Name, HTTP status and `ErrorCode`.
    #[must_use]
    pub fn wire(self) -> (&'static str, u16, &'static str) {
        match self {
            Exception::BadRequest => ("BadRequestException", 400, "BadRequest"),
            Exception::Unauthorized => ("UnauthorizedClientException", 401, "Unauthorized"),
            Exception::Forbidden => ("ForbiddenException", 403, "Forbidden"),
            Exception::NotFound => ("NotFoundException", 404, "NotFound"),
            Exception::Conflict => ("ConflictException", 409, "Conflict"),
            Exception::LengthRequired => ("LengthRequiredException", 411, "BadRequest"),
            Exception::Unprocessable => ("UnprocessableEntityException", 422, "Unprocessable"),
            Exception::Validation => ("ValidationException", 400, "BadRequest"),
            Exception::Throttled => ("ThrottledClientException", 429, "Throttled"),
            Exception::ServiceFailure => ("ServiceFailureException", 500, "ServiceFailure"),
            Exception::ServiceUnavailable => ("ServiceUnavailableException", 503, "ServiceUnavailable"),
        }
    }
}

impl ApiError {
    /// An error.
    pub fn new(exception: Exception, message: impl Into<String>) -> ApiError {
        ApiError { exception, message: message.into() }
    }

    /// A request that breaks a constraint, or a rule of the service.
    pub fn bad_request(message: impl Into<String>) -> ApiError {
        ApiError::new(Exception::BadRequest, message)
    }

    /// A member that breaks its constraint.
    #[must_use]
    pub fn constraint(member: &str, constraint: &str) -> ApiError {
        ApiError::new(Exception::Validation, format!("{member}: {constraint}"))
    }

    /// The error on the wire.
    #[must_use]
    pub fn response(&self) -> Response {
        let (name, status, code) = self.exception.wire();
        let body = serde_json::json!({ "Code": code, "Message": self.message });
        Response { status, error_type: Some(name), body: Some(body) }
    }
}

/// Decodes a query. A key that comes twice keeps its last value.
pub(super) fn query(query: &str) -> BTreeMap<String, String> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(&key.replace('+', " ")), decode(&value.replace('+', " "))))
        .collect()
}

/// Undoes percent-encoding; what is no escape stays as it is.
pub(super) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let escape = (bytes[index] == b'%')
            .then(|| text.get(index + 1..index + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escape {
            Some(byte) => {
                decoded.push(byte);
                index += 3;
            }
            None => {
                decoded.push(bytes[index]);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
