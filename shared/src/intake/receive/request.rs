//! What came to the function's URL.
//!
//! Source: payload format 2.0, <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>. It is read here, and not
//! with the type of `aws_lambda_events`, because that one refuses the whole event for one header that is not ASCII.

use super::LIMIT;
use crate::intake::Headers;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;
use thiserror::Error;

/// A request. It may hold secrets and personal data.
#[derive(Clone)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// The parts of the path that are not empty, decoded.
    pub path: Vec<String>,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub(super) body: Body,
}

/// The body of a request.
#[derive(Clone)]
pub(super) enum Body {
    /// Its raw bytes.
    Bytes(Vec<u8>),
    /// More than [`LIMIT`].
    TooLarge,
    /// It should be base64, and is not.
    Unreadable,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("headers", &self.headers).finish_non_exhaustive()
    }
}

/// The function was invoked with something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the event is no request to the function's URL; send one with HTTPS")]
pub struct NoRequest;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: Context,
}

#[derive(Deserialize)]
struct Context {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

impl Request {
    /// Reads the event of a function's URL.
    ///
    /// # Errors
    /// [`NoRequest`].
    pub fn parse(event: Value) -> Result<Request, NoRequest> {
        let event: Event = serde_json::from_value(event).map_err(|_| NoRequest)?;
        // Lambda joins the values of a header that came twice with a comma. A list would be two values.
        let headers = event.headers.iter().flat_map(|(name, value)| {
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            values.iter().filter_map(move |value| Some((name, value.as_str()?)))
        });
        Ok(Request {
            method: event.request_context.http.method.to_ascii_uppercase(),
            path: event.raw_path.split('/').filter(|part| !part.is_empty()).map(decoded).collect(),
            headers: Headers::new(headers),
            body: body(event.body.unwrap_or_default(), event.is_base64_encoded),
        })
    }
}

fn body(text: String, encoded: bool) -> Body {
    // Four digits of base64 are at most three bytes: what is surely too large is not decoded.
    if (if encoded { text.len() / 4 * 3 } else { text.len() }) > LIMIT + 2 {
        return Body::TooLarge;
    }
    let bytes = if encoded { STANDARD.decode(text).ok() } else { Some(text.into_bytes()) };
    match bytes {
        None => Body::Unreadable,
        Some(bytes) if bytes.len() > LIMIT => Body::TooLarge,
        Some(bytes) => Body::Bytes(bytes),
    }
}

/// A part of a path without its percent encoding (RFC 3986, §2.1). What is no encoding, or no UTF-8 then, stays as it is.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = after.get(2..).unwrap_or_default();
            }
            (_, _, _) => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn event(path: &str, body: &Value, encoded: bool) -> Value {
        json!({
            "version": "2.0", "rawPath": path, "headers": { "a": "1", "Two": ["x", "y"], "odd": "é", "n": 3 },
            "body": body, "isBase64Encoded": encoded, "requestContext": { "http": { "method": "post" } },
        })
    }

    fn bytes(request: &Request) -> Option<&[u8]> {
        match &request.body {
            Body::Bytes(bytes) => Some(bytes),
            Body::TooLarge | Body::Unreadable => None,
        }
    }

    #[test]
    fn raw_bytes_come_out_whichever_way_lambda_puts_them() {
        for (body, encoded, expected) in [
            (json!("{\"n\":\"é\"}"), false, "{\"n\":\"é\"}".as_bytes()),
            (json!("/wB7fQ=="), true, b"\xff\x00{}"),
            (json!("/wB7fQ=="), false, b"/wB7fQ=="),
            (Value::Null, false, b""),
            (Value::Null, true, b""),
        ] {
            let request = Request::parse(event("/gusto", &body, encoded)).unwrap();
            assert_eq!(bytes(&request), Some(expected), "{body} {encoded}");
            assert_eq!(request.method, "POST");
        }
        let odd = Request::parse(event("/", &json!("not base64!"), true)).unwrap();
        assert!(matches!(odd.body, Body::Unreadable));
    }

    #[test]
    fn a_header_that_came_twice_is_none() {
        let request = Request::parse(event("/gusto", &Value::Null, false)).unwrap();
        let found = ["a", "two", "odd", "n", "never"].map(|name| request.headers.get(name));
        assert_eq!(found, [Some("1"), None, Some("é"), None, None]);
    }

    #[test]
    fn the_limit_is_of_bytes_and_not_of_their_encoding() {
        for (size, fits) in
            [(LIMIT, true), (LIMIT + 1, false), (LIMIT + 2, false), (LIMIT + 3, false), (3 * LIMIT, false)]
        {
            let plain = json!("x".repeat(size));
            let encoded = json!(STANDARD.encode(vec![b'x'; size]));
            for (body, flag) in [(plain, false), (encoded, true)] {
                let request = Request::parse(event("/gusto", &body, flag)).unwrap();
                assert_eq!(bytes(&request).map(<[u8]>::len), fits.then_some(size), "{size} {flag}");
                assert_eq!(matches!(request.body, Body::TooLarge), !fits, "{size} {flag}");
            }
        }
    }

    #[test]
    fn a_path_is_its_parts() {
        for (path, expected) in [
            ("/", &[][..]),
            ("", &[]),
            ("/okta", &["okta"]),
            ("//okta/", &["okta"]),
            ("/scim/Users/a%40b%2Fc", &["scim", "Users", "a@b/c"]),
            ("/scim/Users/100%", &["scim", "Users", "100%"]),
            ("/scim/Users/%zz%4", &["scim", "Users", "%zz%4"]),
            ("/scim/Users/%ff", &["scim", "Users", "%ff"]),
        ] {
            assert_eq!(Request::parse(event(path, &Value::Null, false)).unwrap().path, expected, "{path}");
        }
    }

    #[test]
    fn another_event_is_no_request() {
        for event in [json!({}), json!(null), json!({ "Records": [] }), json!({ "rawPath": "/okta" })] {
            assert_eq!(Request::parse(event).err(), Some(NoRequest));
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_an_answer(path in ".*", header in ".*", body in ".*", encoded in any::<bool>()) {
            let mut event = event(&path, &json!(body), encoded);
            event["headers"]["authorization"] = json!(header);
            let request = Request::parse(event).unwrap();
            let _told = super::super::read(&request);
        }
    }
}
