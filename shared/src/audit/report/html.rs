//! `report.html`: one page for people, without script and without any request.
//!
//! Its order: what is missing, the key numbers, the findings by rule with the orphans first, charts, accounts, savings.

mod accounts;
mod chart;
mod figures;
mod findings;
mod numbers;
mod savings;
mod text;

use crate::audit::{Finding, Summary};
use crate::store::{Output, Store, StoreFailure};
use text::{Text, consequence, mode, time};

/// The page as far as it is known: it is written at the end, since the numbers come first.
pub(super) struct Page<'s, S: Store> {
    output: Output<'s, S>,
    findings: findings::Findings,
}

impl<'s, S: Store> Page<'s, S> {
    pub(super) fn new(store: &'s S, key: String) -> Page<'s, S> {
        Page { output: Output::new(store, &key), findings: findings::Findings::default() }
    }

    pub(super) fn add(&mut self, finding: &Finding) {
        self.findings.add(finding);
    }

    pub(super) async fn finish(mut self, summary: &Summary) -> Result<(), StoreFailure> {
        let parts = [
            head(summary),
            numbers::missing(summary),
            numbers::key_numbers(summary),
            self.findings.render(summary.roster.state),
            figures::figures(summary),
            accounts::accounts(summary),
            savings::savings(summary),
            FOOT.to_owned(),
        ];
        for part in parts {
            self.output.add(part.as_bytes()).await?;
        }
        self.output.finish().await.map(|_| ())
    }
}

/// The policy of the page's contents forbids every request and every script, so a name that slipped through could do
/// nothing either.
fn head(summary: &Summary) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="referrer" content="no-referrer">
<title>Licence audit {run}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<header>
<h1>Licence audit</h1>
<p class="run">Run <strong>{run}</strong>, {at}, mode <strong>{mode}</strong>. {consequence}</p>
</header>
<main>
"#,
        run = Text(&summary.run),
        style = include_str!("page.css"),
        at = time(summary.at),
        mode = mode(summary.mode),
        consequence = consequence(summary.mode),
    )
}

const FOOT: &str = "</main>
<footer>
<p>Every finding is in <code>findings.csv</code> and <code>report.json</code>, beside this page. All three name people: \
keep them with those who may see that.</p>
</footer>
</body>
</html>
";
