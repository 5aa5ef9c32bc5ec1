//! `brake`: what is used and latched, by the policy of the stack or of a file, and starting anew.

use crate::stage::{LWA, Stage, account, policy, termination};
use rollcall::routes::Function;
use serde_json::{Value, json};

fn sections(count: u32) -> Value {
    let group = json!({ "name": "administrators", "members": ["8", "9"], "minimum": 1 });
    let limits = json!({ "access": { "limits": [{ "count": count, "window": "1h" }] } });
    json!({ "brake": limits, "protected": { "groups": [group] } })
}

#[tokio::test]
async fn a_latched_budget_is_shown_and_opened_again() {
    let stage = Stage::new("brake", json!([account(LWA, "EnterpriseLWA", 2)]), &sections(1)).await;
    stage.terminate(&[termination("t0", 0), termination("t1", 1)]).await;
    let told = stage.run("brake show --output json").await;
    let out = told.json();
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(
        [&out[0]["budget"], &out[0]["windowSeconds"], &out[0]["used"], &out[0]["allowed"]],
        [&json!("access"), &json!(3600), &json!(1), &json!(1)]
    );
    let latched = [stage.status(0), stage.status(1)].iter().filter(|status| *status == "Suspended").count();
    assert_eq!(
        (latched, out[0]["latchedAt"].is_string(), &out[1]["budget"]),
        (1, true, &json!("group:administrators"))
    );
    let reset = stage.run("brake reset access").await;
    assert_eq!(
        (reset.out.as_str(), reset.code),
        ("budget#access: reset: its window is empty and its latch open; nothing was released", Some(0))
    );
    let out = stage.run("brake show --output json").await.json();
    assert_eq!((&out[0]["used"], &out[0]["latchedAt"]), (&json!(0), &Value::Null));
    let none = stage.run("brake reset licence").await;
    assert_eq!(none.code, Some(1), "{none:?}");
    assert_eq!(stage.run("brake reset acces").await.code, Some(2));
    assert_eq!(stage.work(Function::SuspendUser).await, 0, "nothing was released");
}

#[tokio::test]
async fn a_policy_of_a_file_wins_and_a_population_is_what_percent_is_of() {
    let stage = Stage::new("brake-policy", json!([account(LWA, "EnterpriseLWA", 2)]), &sections(1)).await;
    stage.terminate(&[termination("t0", 0)]).await;
    let other =
        policy(&json!({ "brake": { "access": { "limits": [{ "count": 50, "percent": 10, "window": "1h" }] } } }));
    std::fs::write(stage.folder.join("other.json"), other.to_string()).unwrap();
    let told = stage.run("brake population 200 --account lwa=200").await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.starts_with("population: 200 registered, unsuspended users, counted at "), "{told:?}");
    let out = stage.run("brake show --policy other.json --output json").await.json();
    assert_eq!((out.as_array().unwrap().len(), &out[0]["allowed"]), (1, &json!(20)), "{out}");
}
