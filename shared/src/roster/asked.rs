//! What roster-load is asked for: by S3, when a file was dropped, or by hand.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// Where rosters are dropped: the role reads nothing else.
const DROPPED: &str = "roster/";

/// A roster to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The key of the file.
    pub(super) source: String,
    /// When it was dropped; `None` by hand.
    pub(super) at: Option<Timestamp>,
    /// It may be as small as it is.
    pub(super) allow_shrink: bool,
}

/// It is not asked for as it must be. Neither a retry nor a roster would help.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum NotAsked {
    #[error(
        "the input must be an event \"Object Created\" of S3, or {{\"source\": \"roster/<file>\", \"allow_shrink\": false}}"
    )]
    Unreadable,
    #[error("the event is about another bucket than ROLLCALL_BUCKET")]
    Bucket,
    #[error("the key must begin with {DROPPED}")]
    Place,
}

/// The event of S3, by EventBridge. S3 tells more, which does not matter here.
#[derive(Deserialize)]
struct Event {
    time: Timestamp,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// What an operator writes. A member that is misspelt is not overlooked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByHand {
    source: String,
    #[serde(default)]
    allow_shrink: bool,
}

impl Asked {
    /// Reads what the function was invoked with. `None` for the mark of an empty folder, which the console makes.
    pub(super) fn parse(input: Value, bucket: &str) -> Result<Option<Asked>, NotAsked> {
        let asked = if input.get("detail").is_some() {
            let event: Event = serde_json::from_value(input).map_err(|_| NotAsked::Unreadable)?;
            if event.detail.bucket.name != bucket {
                return Err(NotAsked::Bucket);
            }
            Asked { source: event.detail.object.key, at: Some(event.time), allow_shrink: false }
        } else {
            let by_hand: ByHand = serde_json::from_value(input).map_err(|_| NotAsked::Unreadable)?;
            Asked { source: by_hand.source, at: None, allow_shrink: by_hand.allow_shrink }
        };
        if !asked.source.starts_with(DROPPED) {
            return Err(NotAsked::Place);
        }
        Ok((!asked.source.ends_with('/')).then_some(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn dropped(key: &str) -> Value {
        json!({
            "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created",
            "source": "aws.s3", "account": "111122223333", "time": "2026-11-23T12:00:00Z", "region": "eu-west-1",
            "resources": ["arn:aws:s3:::audit"],
            "detail": {
                "version": "0", "bucket": { "name": "audit" }, "reason": "PutObject",
                "object": { "key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "617f08299329d189" },
            },
        })
    }

    #[test]
    fn by_s3_and_by_hand() {
        let at = Some("2026-11-23T12:00:00Z".parse().unwrap());
        let asked = |at, allow_shrink| Ok(Some(Asked { source: "roster/all.csv".into(), at, allow_shrink }));
        let mut elsewhere = dropped("roster/all.csv");
        elsewhere["detail"]["bucket"]["name"] = json!("another");
        let table = [
            (dropped("roster/all.csv"), asked(at, false)),
            (json!({ "source": "roster/all.csv" }), asked(None, false)),
            (json!({ "source": "roster/all.csv", "allow_shrink": true }), asked(None, true)),
            (dropped("roster/2026/"), Ok(None)),
            (elsewhere, Err(NotAsked::Bucket)),
            (dropped("audits/1/report.csv"), Err(NotAsked::Place)),
            (json!({ "source": "rosters/all.csv" }), Err(NotAsked::Place)),
            (json!({ "source": "roster/all.csv", "allowShrink": true }), Err(NotAsked::Unreadable)),
            (json!({ "detail": {} }), Err(NotAsked::Unreadable)),
            (json!([]), Err(NotAsked::Unreadable)),
        ];
        for (input, expected) in table {
            assert_eq!(Asked::parse(input.clone(), "audit"), expected, "{input}");
        }
    }
}
