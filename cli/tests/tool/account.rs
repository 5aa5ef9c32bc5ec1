//! `account`: Amazon Chime's own accounts, and closing one so that nothing is deleted by mistake.

use crate::stage::{LWA, Stage, account};
use rollcall_local::chime::faults::{EntryCode, Fault, FaultKind};
use rollcall_local::chime::routes::Operation;
use serde_json::{Value, json};

const TEAM: &str = "team";

async fn stage(name: &str, people: usize) -> Stage {
    let accounts = json!([account(TEAM, "Team", people), account(LWA, "EnterpriseLWA", 2)]);
    Stage::new(name, accounts, &json!({})).await
}

/// The accounts that are there.
fn accounts(stage: &Stage) -> Vec<String> {
    stage.chime.core().accounts().map(|account| account.account.name.clone()).collect()
}

/// How many people are in an account.
fn people(stage: &Stage, id: &str) -> usize {
    let core = stage.chime.core();
    core.accounts().find(|account| account.account.account_id == id).map_or(0, |account| account.len())
}

/// How many users each batch had.
fn batches(stage: &Stage) -> Vec<usize> {
    let core = stage.chime.core();
    let calls = core.calls().iter().filter(|call| call.operation == Some(Operation::BatchSuspendUser));
    calls.map(|call| call.users.len()).collect()
}

fn arm(stage: &Stage, operation: Operation, kind: FaultKind, after: u32, times: u32) {
    stage.chime.core().arm(Fault { operation, kind, after, times });
}

#[tokio::test]
async fn an_account_is_created_renamed_and_listed() {
    let stage = stage("account", 0).await;
    let made = stage.run_with(&["account", "create", "Acme Labs", "--output", "json"], "").await;
    let made = made.json();
    assert_eq!((&made["name"], &made["type"]), (&json!("Acme Labs"), &json!("Team")), "{made}");
    let id = made["id"].as_str().unwrap();
    let renamed = stage.run_with(&["account", "rename", id, "Acme Works"], "").await;
    assert_eq!(renamed.code, Some(0), "{renamed:?}");
    let listed = stage.run("account list --output json").await.json();
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|line| line["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["team", "lwa", "Acme Works"]);
    let nobody = stage.run("account rename nobody Other").await;
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(1), ""));
    assert!(nobody.err.starts_with("rollcall: NotFoundException"), "{nobody:?}");
}

/// `CreateAccount` knows no token: a second send would make a second account.
#[tokio::test]
async fn an_account_is_asked_for_once_though_the_answer_is_lost() {
    let stage = stage("account-lost", 0).await;
    arm(&stage, Operation::CreateAccount, FaultKind::LostAnswer, 0, 1);
    let told = stage.run("account create Acme").await;
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("no answer; it may be there: `rollcall account list` before another try"), "{told:?}");
    assert_eq!(accounts(&stage), ["team", "lwa", "Acme"]);
}

const SETTINGS: &str = "\
┌────────────────┬────────┬───────┐
│ setting        ┆ before ┆ after │
╞════════════════╪════════╪═══════╡
│ remote control ┆ on     ┆ off   │
│ dial-out       ┆ off    ┆ off   │
└────────────────┴────────┴───────┘";

#[tokio::test]
async fn settings_are_changed_one_by_one_and_shown_before_and_after() {
    let stage = stage("settings", 0).await;
    let told = stage.run("account settings lwa --remote-control off").await;
    assert_eq!((told.out.as_str(), told.code), (SETTINGS, Some(0)));
    let told = stage.run("account settings lwa --dial-out on --output json").await;
    let on = |remote_control: &str, dial_out: &str| json!({ "remoteControl": remote_control, "dialOut": dial_out });
    assert_eq!(told.json(), json!({ "before": on("off", "off"), "after": on("off", "on") }));
    let changes = stage.changes().len();
    let shown = stage.run("account settings lwa --output json").await;
    assert_eq!(shown.json()["after"], on("off", "on"));
    assert_eq!(stage.changes().len(), changes, "looking changes nothing");
}

const CLOSED: &str = "\
┌─────────┬──────┬─────────┬──────┬─────────┐
│ account ┆ name ┆ removed ┆ left ┆ deleted │
╞═════════╪══════╪═════════╪══════╪═════════╡
│ team    ┆ team ┆ 120     ┆ 0    ┆ yes     │
└─────────┴──────┴─────────┴──────┴─────────┘
deleted; only AWS Support restores it, within 90 days";

#[tokio::test]
async fn a_team_account_is_drained_in_fifties_and_deleted() {
    let stage = stage("close", 120).await;
    let told = stage.run("account close team --yes team").await;
    assert_eq!((told.out.as_str(), told.code), (CLOSED, Some(0)));
    assert_eq!((batches(&stage), accounts(&stage)), (vec![50, 50, 20], vec![LWA.to_owned()]));
}

#[tokio::test]
async fn nothing_is_touched_without_the_accounts_name() {
    let stage = stage("close-name", 3).await;
    let wrong = stage.run("account close team --yes lwa").await;
    assert_eq!(
        (wrong.code, wrong.err.as_str()),
        (Some(1), "rollcall: the account's name is \"team\": nothing was done")
    );
    // The standard input is no terminal, so nobody can be asked.
    let nobody = stage.run_with(&["account", "close", "team"], "team\n").await;
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.err.contains("nobody is there to confirm: give --yes"), "{nobody:?}");
    assert_eq!((stage.changes(), people(&stage, TEAM)), (Vec::new(), 3));
}

#[tokio::test]
async fn who_is_not_removed_at_once_is_counted_and_tried_again() {
    let stage = stage("close-errors", 60).await;
    // HTTP 200, and every tenth of the first batch is throttled inside it.
    let kind = FaultKind::UserErrors { code: EntryCode::Throttled, every: 10 };
    arm(&stage, Operation::BatchSuspendUser, kind, 0, 1);
    let told = stage.run("account close team --yes team --output json").await;
    let out = told.json();
    assert_eq!((told.code, &out["removed"], &out["deleted"]), (Some(0), &json!(60), &json!(true)), "{out}");
    assert_eq!((&out["errors"], batches(&stage)), (&json!({ "Throttled": 5 }), vec![50, 10, 5]));
}

#[tokio::test]
async fn who_cannot_be_removed_keeps_the_account_and_another_run_goes_on() {
    let stage = stage("close-refused", 60).await;
    let kind = FaultKind::UserErrors { code: EntryCode::Forbidden, every: 1 };
    arm(&stage, Operation::BatchSuspendUser, kind, 1, 1);
    let told = stage.run("account close team --yes team --output json").await;
    let out = told.json();
    assert_eq!((told.code, &out["removed"], &out["left"]), (Some(1), &json!(50), &json!(10)), "{out}");
    assert_eq!(
        (&out["errors"], &out["deleted"], people(&stage, TEAM)),
        (&json!({ "Forbidden": 10 }), &json!(false), 10)
    );
    assert!(!stage.changes().contains(&"DeleteAccount".to_owned()));
    let told = stage.run("account close team --yes team --output json").await;
    assert_eq!((told.code, &told.json()["removed"]), (Some(0), &json!(10)));
    assert_eq!(accounts(&stage), [LWA]);
}

#[tokio::test]
async fn who_was_removed_is_told_though_the_account_is_not_deleted() {
    let stage = stage("close-cut", 60).await;
    arm(&stage, Operation::ListUsers, FaultKind::Forbidden, 1, 1);
    let told = stage.run("account close team --yes team --output json").await;
    let out = told.json();
    let message = out["message"].as_str().unwrap();
    let cut = "cut off, and not deleted: 60 were asked to be removed, and who is gone cannot be listed: ";
    assert!(told.code == Some(1) && message.starts_with(cut) && message.ends_with("; run it again"), "{out}");
    assert_eq!(people(&stage, TEAM), 0);
    let stage = self::stage("close-delete", 60).await;
    arm(&stage, Operation::DeleteAccount, FaultKind::Forbidden, 0, 1);
    let told = stage.run("account close team --yes team --output json").await;
    let out = told.json();
    assert_eq!((told.code, &out["removed"], &out["deleted"]), (Some(1), &json!(60), &json!(false)), "{out}");
    assert!(out["message"].as_str().unwrap().starts_with("nobody is left in it, and it is not deleted: "), "{out}");
}

#[tokio::test]
async fn an_enterprise_account_is_not_drained_and_what_the_api_cannot_do_is_said() {
    let stage = stage("close-enterprise", 0).await;
    let told = stage.run("account close lwa --yes lwa --output json").await;
    let out: Value = told.json();
    assert_eq!((told.code, &out["deleted"], people(&stage, LWA)), (Some(1), &json!(false), 2));
    assert!(out["message"].as_str().unwrap().starts_with("its claimed domains must be released first"), "{out}");
    assert_eq!(batches(&stage), Vec::<usize>::new(), "nobody is touched");
    stage.chime.core().accounts_mut().for_each(|account| account.domains_released = true);
    let told = stage.run("account close lwa --yes lwa").await;
    assert_eq!((told.code, accounts(&stage)), (Some(0), vec![TEAM.to_owned()]));
}

#[tokio::test]
async fn chimes_endpoint_is_a_flag_as_well() {
    let stage = stage("chime-endpoint", 0).await;
    let endpoint = stage.chime.endpoint();
    let words = ["account", "list", "--chime-endpoint-url", &endpoint, "--endpoint-url", "http://127.0.0.1:9"];
    let told = stage.tool(&[("AWS_ENDPOINT_URL_CHIME", "")], &words, "").await;
    assert_eq!(told.code, Some(0), "{told:?}");
}
