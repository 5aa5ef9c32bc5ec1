//! The three files of a run, against a golden report and on what must never be in them.

use crate::golden;
use rollcall::audit::report::{Reporter, SCHEMA_VERSION, SHOWN};
use rollcall::audit::{Confidence, Effect, Finding, Report, RosterState, RosterUsed, Rule, Savings, Summary};
use rollcall::store::Store;
use rollcall::store::files::Files;
use std::collections::BTreeMap;
use std::path::Path;

/// The three files of a run, as text.
struct Written {
    json: String,
    csv: String,
    html: String,
}

async fn write<'f>(name: &str, findings: impl IntoIterator<Item = &'f Finding>, summary: &Summary) -> Written {
    let files = Files::new(std::env::temp_dir().join(format!("rollcall-report-{}-{name}", std::process::id())));
    let mut reporter = Reporter::new(&files, "runs/1");
    for finding in findings {
        reporter.add(finding).await.unwrap();
    }
    reporter.finish(summary).await.unwrap();
    let mut texts = Vec::new();
    for file in ["report.json", "findings.csv", "report.html"] {
        let bytes = files.read(&format!("runs/1/{file}"), 0, u64::MAX).await.unwrap().unwrap();
        texts.push(String::from_utf8(bytes).unwrap());
    }
    std::fs::remove_dir_all(files.path("")).unwrap();
    let [json, csv, html] = texts.try_into().unwrap();
    Written { json, csv, html }
}

#[expect(clippy::disallowed_methods, reason = "the caller says by the environment that files shall be written")]
fn accepted(file: &str, written: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit/golden").join(file);
    if std::env::var("ROLLCALL_ACCEPT").is_ok() {
        std::fs::write(&path, written).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap() == written, "{file} differs; see the head of this test");
}

/// The rows of a CSV file, without its header.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn the_golden_report_is_the_one_that_was_accepted() {
    let (findings, summary) = (golden::findings(), golden::summary());
    let written = write("golden", &findings, &summary).await;
    accepted("report.json", &written.json);
    accepted("findings.csv", &written.csv);
    accepted("report.html", &written.html);
}

#[tokio::test]
async fn the_document_reads_back_as_it_was() {
    let (findings, summary) = (golden::findings(), golden::summary());
    let read: Report = serde_json::from_str(&write("back", &findings, &summary).await.json).unwrap();
    assert_eq!(read.schema_version, SCHEMA_VERSION);
    assert!(read.findings == findings);
    assert_eq!(read.summary, summary);

    let read: Report = serde_json::from_str(&write("nothing", &[], &Summary::default()).await.json).unwrap();
    assert!(read.findings.is_empty());
}

#[test]
fn the_golden_numbers_are_those_of_its_findings() {
    let (findings, summary) = (golden::findings(), golden::summary());
    let (mut rules, mut effects, mut proposals) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for finding in &findings {
        *rules.entry(finding.rule).or_insert(0) += 1;
        *effects.entry(finding.effect).or_insert(0) += 1;
        finding.proposal.into_iter().for_each(|action| *proposals.entry(action).or_insert(0) += 1);
    }
    assert_eq!((rules, effects, proposals), (summary.findings, summary.effects, summary.proposals));
    assert!(Rule::ALL.iter().all(|rule| findings.iter().any(|finding| finding.rule == *rule)));
}

#[tokio::test]
async fn a_hostile_name_is_text_everywhere() {
    const EVIL: &str = "</td><script>alert(1)</script><img src=\"//evil.example\" onerror='x'>&amp;";
    let evil = || Some(EVIL.to_owned());
    let finding = Finding {
        account: evil(),
        account_name: evil(),
        user: evil(),
        email: evil(),
        worker_id: evil(),
        department: evil(),
        licence: evil(),
        evidence: [(EVIL.to_owned(), EVIL.to_owned())].into(),
        ..golden::finding(Rule::Orphan, Effect::ClosesAccess, Confidence::High, EVIL)
    };
    let mut summary = golden::summary();
    summary.run = EVIL.to_owned();
    summary.departments = [(EVIL.to_owned(), [(EVIL.to_owned(), 3)].into())].into();
    for account in &mut summary.accounts {
        account.id = EVIL.to_owned();
        account.name = EVIL.to_owned();
        account.kind = EVIL.to_owned();
        account.licences = [(EVIL.to_owned(), 3)].into();
        account.incomplete = account.incomplete.as_ref().map(|_| EVIL.to_owned());
    }
    if let Some(cost) = &mut summary.savings.cost {
        cost.currency = EVIL.to_owned();
    }
    let html = write("hostile", [&finding], &summary).await.html;
    for markup in ["<script", "<img", "onerror='"] {
        assert!(!html.contains(markup), "{markup}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(html.contains("onerror=&#39;x&#39;&gt;&amp;amp;"));
}

#[tokio::test]
async fn no_cell_is_a_formula() {
    let begins = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"];
    let findings = begins.map(|text| Finding {
        email: Some(text.to_owned()),
        department: Some(format!("a, \"b\" {text}")),
        evidence: [(text.to_owned(), "1".to_owned())].into(),
        ..golden::finding(Rule::Orphan, Effect::ClosesAccess, Confidence::High, text)
    });
    let rows = rows(&write("formula", &findings, &Summary::default()).await.csv);
    for (text, row) in begins.iter().zip(&rows) {
        assert_eq!(row[6], format!("'{text}"));
        assert_eq!(row[8], format!("a, \"b\" {text}"));
        assert_eq!(row[13], format!("'{text}"));
        assert_eq!(row[14], format!("'{text}=1"));
    }
    assert_eq!(rows.len(), begins.len());
}

#[tokio::test]
async fn the_page_keeps_its_first_findings_of_a_rule_and_tells_how_many_more_there_are() {
    let finding = golden::finding(Rule::TrialRunningOut, Effect::Informs, Confidence::High, "The trial ends.");
    let written = write("many", std::iter::repeat_n(&finding, 5_000), &Summary::default()).await;
    assert_eq!(written.html.matches("<td role=\"cell\" data-is=\"Why\">").count() as u64, SHOWN);
    assert!(written.html.contains("The first 200 of 5\u{202f}000 are shown; 4\u{202f}800 more are in"));
    assert_eq!(rows(&written.csv).len(), 5_000);
    assert_eq!(serde_json::from_str::<Report>(&written.json).unwrap().findings.len(), 5_000);
}

#[tokio::test]
async fn what_is_missing_is_said_first() {
    let golden = golden::summary();
    let sees = async |state: RosterState, savings: Savings, seen: &[&str]| {
        let roster = RosterUsed { state, ..golden.roster.clone() };
        let html = write("missing", &[], &Summary { roster, savings, ..golden.clone() }).await.html;
        seen.iter().for_each(|text| assert!(html.contains(text), "{state:?}: {text}"));
        assert!(html.find("not complete</h2>").unwrap() < html.find("Key numbers</h2>").unwrap());
        assert!(html.find("id=\"rule-orphan\"").unwrap() < html.find("Charts</h2>").unwrap());
    };
    let listing = "The listing of <strong>Acme Works</strong> is not believed: page 10 of ListUsers had no answer.";
    let unused = Savings::default();
    let unpriced = Savings { cost: None, ..golden.savings.clone() };
    sees(RosterState::Used, unused, &[listing, "Nobody was found.", "No usage was given, so no saving is computed."])
        .await;
    let no_price = "on <strong>21 days</strong> at most. The policy names no price";
    sees(RosterState::Missing, unpriced, &[listing, "There is no roster. Nothing", "Nobody can tell", no_price]).await;
    let too_old = "22:30 UTC</time> is older than the policy believes. Nothing is said that rests on HR";
    let priced = "is <strong>USD\u{a0}63.00</strong>.";
    sees(RosterState::TooOld, golden.savings.clone(), &[too_old, priced]).await;

    let whole: Vec<_> = golden.accounts.iter().filter(|account| account.incomplete.is_none()).cloned().collect();
    let html = write("whole", &[], &Summary { accounts: whole, ..golden.clone() }).await.html;
    assert!(!html.contains("class=\"warning\""));
}

#[tokio::test]
async fn the_page_asks_for_nothing() {
    let html = write("alone", &golden::findings(), &golden::summary()).await.html;
    let markup =
        ["<script", "src=", "http", "@import", "url(", "<iframe", "<object", "style=\"", " onload", "href=\"/"];
    let told = html.replace("https://evil.example", "").replace("<meta http-equiv=", "");
    assert!(markup.iter().all(|text| !told.contains(text)));
    assert!(html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\""));
}
