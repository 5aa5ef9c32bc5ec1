//! Where everything is: flags, the environment, the stack's own parameter; and how what goes wrong is told.

use crate::dynamo::LEDGER;
use crate::stage::{KEY, LWA, POLICY, SECRET, STACK, Stage, account, policy, termination};
use serde_json::json;

async fn stage(name: &str) -> Stage {
    Stage::new(name, json!([account(LWA, "EnterpriseLWA", 2)]), &json!({})).await
}

#[tokio::test]
async fn a_stack_tells_where_everything_is_and_flags_win() {
    let stage = stage("places").await;
    let by_stack = stage.run("held list").await;
    assert_eq!((by_stack.code, by_stack.out.lines().last()), (Some(0), Some("0 waiting")), "{by_stack:?}");
    let calls = std::mem::take(&mut stage.aws.there().calls);
    assert_eq!(calls, [format!("GetParameter /{STACK}/operator")], "and the person key is not asked for");
    // Every place by flags: nothing is asked of the stack, which is not even named.
    let by_flags = stage.tool(&[], &["held", "list", "--table", LEDGER], "").await;
    assert_eq!((by_flags.code, by_flags.out), (Some(0), by_stack.out));
    assert_eq!(stage.aws.there().calls, Vec::<String>::new());
    // A flag wins over the stack.
    let elsewhere = stage.run("--table no-such-table held list").await;
    assert_eq!(elsewhere.code, Some(1));
    assert!(elsewhere.err.contains("see whether the table is there"), "{elsewhere:?}");
    let named = stage.tool(&[], &["held", "list", "--stack-name", STACK], "").await;
    assert_eq!(named.code, Some(0), "{named:?}");
}

/// The environment of one stack must not lead a command for another astray.
#[tokio::test]
async fn a_stack_that_is_named_wins_over_places_of_the_environment() {
    let stage = stage("named").await;
    std::fs::write(stage.folder.join("event.json"), termination("e1", 0).to_string()).unwrap();
    let other = [("ROLLCALL_STACK", "prod"), ("ROLLCALL_BUS", "prod-bus"), ("ROLLCALL_TABLE", "prod-ledger")];
    let told = stage.tool(&other, &["send", "event.json", "--stack-name", STACK], "").await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(stage.aws.there().published[0]["EventBusName"], "acme-bus");
    assert_eq!(stage.tool(&other, &["held", "list", "--stack-name", STACK], "").await.code, Some(0));
    // A flag wins over both, and without the flag for the stack the environment is one.
    let flag = ["send", "event.json", "--stack-name", STACK, "--bus", "my-bus"];
    assert_eq!(stage.tool(&other, &flag, "").await.code, Some(0));
    let environment = [("ROLLCALL_STACK", STACK), ("ROLLCALL_BUS", "prod-bus")];
    assert_eq!(stage.tool(&environment, &["send", "event.json"], "").await.code, Some(0));
    let buses: Vec<String> =
        stage.aws.there().published.iter().map(|it| it["EventBusName"].as_str().unwrap().to_owned()).collect();
    assert_eq!(buses, ["acme-bus", "my-bus", "prod-bus"]);
}

#[tokio::test]
async fn what_cannot_be_written_is_an_error_and_nothing_is_no_line() {
    let stage = stage("written").await;
    let mut tool = std::process::Command::new(env!("CARGO_BIN_EXE_rollcall"));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let done = tool.args(["completions", "bash"]).stdout(full).output().unwrap();
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stderr).starts_with("rollcall: the answer cannot be written: "), "{done:?}");
    let wrong = stage.run("held lst --output json").await;
    let error = serde_json::from_str::<serde_json::Value>(&wrong.err).unwrap();
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(2), ""));
    assert!(error["error"].as_str().unwrap().starts_with("unrecognized subcommand 'lst'"), "{error}");
}

#[tokio::test]
async fn the_person_key_is_read_on_demand_only() {
    let stage = stage("person-key").await;
    stage.set_policy(&policy(&json!({ "brake": { "access": { "limits": [{ "count": 0, "window": "1h" }] } } })));
    stage.terminate(&[termination("t1", 0)]).await;
    stage.aws.there().calls.clear();
    let closed = stage.run("held show t1").await;
    assert_eq!(closed.code, Some(0), "{closed:?}");
    assert!(!closed.out.contains("lwa.example") && closed.out.contains("sealed; give --open"), "{closed:?}");
    assert!(!stage.aws.there().calls.contains(&format!("GetParameter {SECRET}")));
    let open = stage.run("held show t1 --open").await;
    assert!(open.out.contains("p0@lwa.example"), "{open:?}");
    assert!(stage.aws.there().calls.contains(&format!("GetParameter {SECRET}")));
    // Who has the key needs no right to the secret.
    stage.aws.there().parameters.remove(SECRET);
    let given =
        stage.tool(&[("ROLLCALL_STACK", STACK), ("ROLLCALL_PERSON_KEY", KEY)], &["held", "show", "t1"], "").await;
    assert!(given.out.contains("p0@lwa.example"), "{given:?}");
    let without = stage.run("held show t1 --open").await;
    assert_eq!(without.code, Some(1));
    assert_eq!(
        without.err,
        format!(
            "rollcall: this needs the person key: the parameter {SECRET} cannot be read: ParameterNotFound: there is none of this name"
        )
    );
}

#[tokio::test]
async fn what_is_not_named_is_asked_for() {
    let stage = stage("asked").await;
    let table = [
        ("held list", "rollcall: which ledger? Give --stack-name, or --table"),
        ("status", "rollcall: which ledger? Give --stack-name, or --table"),
        (
            "why 0123456789abcdef0123456789abcdef",
            "rollcall: the policy policy.json cannot be read; give --policy: No such file or directory (os error 2)",
        ),
    ];
    for (words, expected) in table {
        let told = stage.tool(&[], &words.split(' ').collect::<Vec<_>>(), "").await;
        assert_eq!((told.code, told.err.as_str(), told.out.as_str()), (Some(1), expected, ""), "{words}");
    }
    let paused = stage.tool(&[], &["pause", "suspend-user"], "").await;
    assert_eq!(paused.code, Some(1));
    assert!(
        paused.out.contains("which mapping of suspend-user? Give --stack-name, or --mapping suspend-user=…"),
        "{paused:?}"
    );
    // An empty variable names nothing.
    let empty = stage.tool(&[("ROLLCALL_TABLE", "")], &["held", "list"], "").await;
    assert_eq!(empty.err, "rollcall: which ledger? Give --stack-name, or --table");
    let empty = [("ROLLCALL_STACK", ""), ("ROLLCALL_QUEUES", ""), ("ROLLCALL_DLQS", ""), ("ROLLCALL_MAPPINGS", "")];
    let told = stage.tool(&empty, &["held", "list"], "").await;
    assert_eq!((told.code, told.err.as_str()), (Some(1), "rollcall: which ledger? Give --stack-name, or --table"));
}

#[tokio::test]
async fn an_error_is_one_line_or_one_json_value() {
    let stage = stage("errors").await;
    let told = stage.tool(&[("ROLLCALL_STACK", "other")], &["held", "list", "--output", "json"], "").await;
    let expected = "where is everything of other?: the parameter /other/operator cannot be read: ParameterNotFound: there is none of this name";
    assert_eq!((told.code, told.out.as_str()), (Some(1), ""));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told.err).unwrap(), json!({ "error": expected }));
    stage.aws.there().parameters.insert(format!("/{STACK}/operator"), "[]".to_owned());
    let broken = stage.run("held list").await;
    assert!(broken.err.contains("it is not the document that Rollcall's template writes"), "{broken:?}");
    for words in ["held", "held lst", "pause nobody", "account create", "--output yaml held list"] {
        assert_eq!(stage.run(words).await.code, Some(2), "{words}");
    }
}

#[tokio::test]
async fn a_broken_policy_of_the_stack_says_where() {
    let stage = stage("broken-policy").await;
    stage.aws.there().parameters.insert(POLICY.to_owned(), r#"{"pin_reset":"sometimes"}"#.to_owned());
    let told = stage.run("brake show").await;
    assert_eq!(told.code, Some(1));
    assert!(told.err.starts_with("rollcall: the policy is wrong at line 1, column 24: "), "{told:?}");
}

#[tokio::test]
async fn completions_know_every_command() {
    let stage = stage("completions").await;
    let commands = ["send", "status", "held", "parked", "brake", "pause", "resume", "why", "proof", "audit", "account"];
    for shell in ["bash", "zsh", "fish"] {
        let told = stage.tool(&[], &["completions", shell], "").await;
        assert_eq!(told.code, Some(0));
        for command in commands {
            assert!(told.out.contains(command), "{shell}: {command}");
        }
    }
}
