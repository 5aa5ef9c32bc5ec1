//! Canaries: of a request, nothing but source and reason is logged, counted or shown; of a secret, nothing at all.

use crate::senders::{OTHER, SECRET, Sender, senders};
use crate::stage::{Mood, NOW, Stage, event, kept};
use rollcall::intake::receive::Request;
use rollcall::telemetry::Invoked;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

const CANARIES: [&str; 4] = ["secret.person", "canary-of-a-header", SECRET, OTHER];

fn check(what: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.to_lowercase().contains(canary), "{what} shows {canary}: {text}");
    }
}

/// All that tracing wrote.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    /// Catches everything from Rollcall on this thread until the guard is dropped.
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let own = Targets::new().with_target("rollcall", tracing::Level::TRACE);
        let lines = tracing_subscriber::fmt::layer().json().with_writer(self.clone());
        tracing::subscriber::set_default(tracing_subscriber::registry().with(own).with(lines))
    }

    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

const INVOKED: Invoked<'_> = Invoked { function: "acme-hr-receive", request_id: "r-1" };

const BODY: &str = r#"{"email":"secret.person@acme.example"}"#;

fn with_canaries(sender: &Sender, secret: &str) -> Value {
    let sender = Sender { body: BODY, ..*sender };
    let mut headers = sender.headers(secret, NOW);
    headers.push(("x-more".into(), "canary-of-a-header".into()));
    sender.request(&headers, sender.body.as_bytes())
}

/// Takes a request, and gives its status and log; looks at all else that is shown of it.
async fn shown(stage: &Stage, log: &Log, event: &Value) -> (u16, String) {
    let request = Request::parse(event.clone()).unwrap();
    let told = stage.take(event.clone()).await;
    told.log("r-1");
    let response = told.response();
    let metrics = told.metrics(INVOKED, jiff::Timestamp::from_second(NOW).unwrap());
    let all = format!("{request:?} {told:?} {response:?} {metrics} {:?}", stage.service.parameters);
    check("debug", &all);
    check("the answer", &response.body);
    let log = log.take();
    check("the log", &log);
    (response.status_code, log)
}

#[tokio::test]
async fn nothing_of_a_request_is_shown_however_it_ends() {
    let log = Log::default();
    let _listening = log.listen();
    let secret = |sender: &Sender| if sender.source == "finch" { sender.secret } else { SECRET };
    for sender in senders() {
        let mut stage = Stage::new();
        let good = with_canaries(&sender, secret(&sender));
        let (status, line) = shown(&stage, &log, &good).await;
        assert_eq!(status, 503, "{}", sender.source);
        assert!(line.contains("no secret is configured for this source") && line.contains(sender.source), "{line}");

        stage.secret(sender.source, secret(&sender));
        stage.later(30);
        let (status, line) = shown(&stage, &log, &with_canaries(&sender, sender.other)).await;
        assert_eq!(status, 401, "{}", sender.source);
        assert!(line.contains("the signature or the secret is wrong") && line.contains(sender.source), "{line}");

        let (status, line) = shown(&stage, &log, &good).await;
        assert_eq!((status, line.as_str()), (sender.thanks, ""), "{}", sender.source);
        for (key, receipt) in stage.receipts() {
            check("a key", &key);
            check("debug of a receipt", &format!("{receipt:?}"));
            // The receipt itself is the one place: it is the body as it came.
            assert_eq!(kept(&receipt).0, BODY.as_bytes());
        }
        stage.messages().iter().for_each(|message| check("a message", message));

        stage.queue(Mood::Forbidding);
        assert_eq!(shown(&stage, &log, &good).await.0, 503);
        let broken = Stage::new();
        broken.secret(sender.source, &format!("{SECRET}\n"));
        stage = broken;
        let (_, line) = shown(&stage, &log, &good).await;
        assert!(line.contains("must be the secret, or"), "{line}");
        stage.parameter_store(Mood::Forbidding);
        stage.later(300);
        let (_, line) = shown(&stage, &log, &good).await;
        assert!(line.contains("ssm:GetParameter"), "{line}");
    }
    let stage = Stage::new();
    for (method, path) in [("POST", "/secret.person@acme.example"), ("SECRET.PERSON", "/gusto")] {
        let headers = [("authorization".to_owned(), SECRET.to_owned())];
        let (status, line) = shown(&stage, &log, &event(method, path, &headers, BODY.as_bytes())).await;
        assert!(matches!(status, 404 | 405) && line.contains("a request of nobody known"), "{line}");
    }
    let mut large = event("POST", "/gusto", &[], b"");
    large["body"] = json!("secret.person".repeat(100_000));
    large["isBase64Encoded"] = json!(false);
    assert_eq!(shown(&stage, &log, &large).await.0, 413);
}
