//! `pause` and `resume`: the mapping's state is waited for, and what waits is told.

use crate::stage::{Stage, queue_of};
use rollcall::routes::Function;
use serde_json::{Value, json};

#[tokio::test]
async fn pausing_waits_and_tells_what_waits_until_when() {
    let stage = Stage::new("pause", json!([]), &json!({})).await;
    {
        let mut there = stage.aws.there();
        there.mappings.insert("map-logout-user".to_owned(), "Disabled");
        for hidden in [false, false, true] {
            there.put(&queue_of(Function::SuspendUser), "{}", Value::Null);
            there.queues.get_mut(&queue_of(Function::SuspendUser)).unwrap().last_mut().unwrap().hidden = hidden;
        }
    }
    let before = crate::stage::now();
    let told = stage.run("pause suspend-user logout-user").await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(stage.aws.there().mappings["map-suspend-user"], "Disabled");
    let words: Vec<&str> = told.out.split_whitespace().collect();
    // Fourteen days, the queues' retention.
    let expires: jiff::Timestamp =
        words[words.iter().position(|word| *word == "at").unwrap() + 1].trim_end_matches(',').parse().unwrap();
    let days = jiff::SignedDuration::from_hours(14 * 24);
    assert!((before + days).duration_since(expires).abs() < jiff::SignedDuration::from_secs(61), "{told:?}");
    let row = |cells: [&str; 4]| words.windows(7).any(|found| [found[0], found[2], found[4], found[6]] == cells);
    assert!(row(["suspend-user", "Disabled", "2", "1"]), "{told:?}");
    assert!(told.out.contains("was so before; what comes in now expires at"), "{told:?}");
    assert!(told.out.ends_with("2 of 2 done"), "{told:?}");
    assert_eq!(
        stage.aws.there().count("UpdateEventSourceMapping"),
        1,
        "it was asked for once, and only where it was needed"
    );
}

#[tokio::test]
async fn all_are_resumed_and_again_is_harmless() {
    let stage = Stage::new("resume", json!([]), &json!({})).await;
    stage.aws.there().mappings.insert("map-invite-user".to_owned(), "Disabled");
    for n in [true, false] {
        let told = stage.run("resume --all --output json").await;
        let out = told.json();
        assert_eq!(told.code, Some(0), "{told:?}");
        let already: Vec<bool> =
            out.as_array().unwrap().iter().map(|line| line["already"].as_bool().unwrap()).collect();
        assert_eq!(already, [!n, true, true, true, true, true]);
    }
    assert_eq!(stage.aws.there().count("UpdateEventSourceMapping"), 1);
}

#[tokio::test]
async fn one_that_fails_does_not_stop_the_others() {
    let stage = Stage::new("pause-denied", json!([]), &json!({})).await;
    stage.aws.there().mappings.remove("map-logout-user");
    let told = stage.run("pause suspend-user logout-user --output json").await;
    let out = told.json();
    assert_eq!((told.code, &out[0]["done"], &out[1]["done"]), (Some(1), &json!(true), &json!(false)));
    assert_eq!(out[1]["message"], "ResourceNotFoundException: no such mapping");
    // Reading the queue is not needed to pause.
    stage.aws.there().denied.insert("GetQueueAttributes");
    let told = stage.run("resume suspend-user").await;
    assert_eq!(told.code, Some(0), "{told:?}");
}
