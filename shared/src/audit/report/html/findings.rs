//! The findings, a table a rule. Of each rule the first are kept, as rows; the others are counted.

use super::super::SHOWN;
use super::text::{Number, Text, confidence, count, effect};
use crate::audit::{Finding, RosterState, Rule};
use std::collections::BTreeMap;

/// The findings as far as the page shows them.
#[derive(Default)]
pub(super) struct Findings {
    rules: BTreeMap<Rule, Kept>,
}

#[derive(Default)]
struct Kept {
    found: u64,
    rows: String,
}

/// The id of a rule's section.
pub(super) fn section_id(rule: Rule) -> String {
    format!("rule-{}", rule.as_str())
}

impl Findings {
    /// Keeps a finding, or counts it.
    pub(super) fn add(&mut self, finding: &Finding) {
        let kept = self.rules.entry(finding.rule).or_default();
        if kept.found < SHOWN {
            kept.rows += &row(finding);
        }
        kept.found += 1;
    }

    /// Every rule's section. A rule that found nothing is one of a sentence; but of orphans it is said in any case.
    pub(super) fn render(&self, roster: RosterState) -> String {
        let mut sections = "<h2 id=\"findings\">Findings</h2>\n".to_owned();
        let mut silent = Vec::new();
        for rule in Rule::ALL {
            match self.rules.get(&rule) {
                Some(kept) => sections += &kept.render(rule),
                None if rule == Rule::Orphan => sections += &no_orphans(roster),
                None => silent.push(rule.title()),
            }
        }
        if !silent.is_empty() {
            sections += &format!(
                "<p class=\"silent\">Nothing was found by: {}. Nothing is found by a rule that the policy switches off, in a \
                 listing that is not believed, or about HR without a roster.</p>\n",
                silent.join("; ")
            );
        }
        sections
    }
}

impl Kept {
    fn render(&self, rule: Rule) -> String {
        let more = match self.found.saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(
                "<p class=\"more\">The first {} of {} are shown; {} more are in <code>findings.csv</code>.</p>\n",
                Number(SHOWN),
                Number(self.found),
                Number(more)
            ),
        };
        format!(
            r#"<section class="rule" id="{}">
<h3>{title}</h3>
{more}<table class="cards" role="table">
<caption><span class="hidden">{title}: </span>{}</caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Who</th><th role="columnheader" scope="col">Account</th><th role="columnheader" scope="col">Licence</th><th role="columnheader" scope="col">Why</th><th role="columnheader" scope="col">Effect</th><th role="columnheader" scope="col">Proposed</th></tr></thead>
<tbody role="rowgroup">
{}</tbody>
</table>
</section>
"#,
            section_id(rule),
            count(self.found, "finding", "findings"),
            self.rows,
            title = rule.title(),
        )
    }
}

fn no_orphans(roster: RosterState) -> String {
    let said = match roster {
        RosterState::Used => "Nobody was found.",
        RosterState::TooOld | RosterState::Missing => "Nobody can tell: the roster could not be used.",
    };
    format!(
        "<section class=\"rule\" id=\"{}\">\n<h3>{}</h3>\n<p>{said}</p>\n</section>\n",
        section_id(Rule::Orphan),
        Rule::Orphan.title()
    )
}

fn row(finding: &Finding) -> String {
    let account = cell("Account", &lines(finding.account_name.as_deref(), &[finding.account.as_deref()]));
    let licence = cell("Licence", &lines(finding.licence.as_deref(), &[]));
    let evidence: Vec<_> =
        finding.evidence.iter().map(|(name, value)| format!("{}: {}", Text(name), Text(value))).collect();
    let why = cell("Why", &format!("<div>{}{}</div>", Text(&finding.reason), small(&evidence.join("; "))));
    let days = finding.hosting_days.map(|days| count(days.into(), "hosting day", "hosting days"));
    let sure: Vec<_> = std::iter::once(confidence(finding.confidence).to_owned()).chain(days).collect();
    let effect = cell("Effect", &format!("<div>{}{}</div>", effect(finding.effect), small(&sure.join(" · "))));
    let proposed = cell("Proposed", &format!("<div>{}</div>", proposed(finding)));
    format!(
        "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">{}</th>{account}{licence}{why}{effect}{proposed}</tr>\n",
        who(finding)
    )
}

/// The person; without one, the account as a whole.
fn who(finding: &Finding) -> String {
    let (email, user, worker) = (finding.email.as_deref(), finding.user.as_deref(), finding.worker_id.as_deref());
    match email.or(user).or(worker) {
        None => "<div>the whole account</div>".to_owned(),
        Some(name) => {
            let others =
                [worker, finding.department.as_deref(), user].map(|other| other.filter(|other| *other != name));
            lines(Some(name), &others)
        }
    }
}

fn proposed(finding: &Finding) -> String {
    let proposal = finding.proposal.map(|action| format!("<strong>{}</strong>", action.as_str()));
    let withheld = finding.withheld.map(|withheld| small(withheld.sentence())).unwrap_or_default();
    format!("{}{withheld}", proposal.as_deref().unwrap_or("nothing"))
}

/// A cell that tells its heading where the table becomes cards.
fn cell(heading: &str, markup: &str) -> String {
    format!("<td role=\"cell\" data-is=\"{heading}\">{markup}</td>")
}

/// What something is called, and what else is known of it in small print.
fn lines(name: Option<&str>, others: &[Option<&str>]) -> String {
    let others: Vec<_> = others.iter().flatten().map(|other| Text(other).to_string()).collect();
    match name {
        Some(name) => format!("<div>{}{}</div>", Text(name), small(&others.join(" · "))),
        None if others.is_empty() => "<div>–</div>".to_owned(),
        None => format!("<div>{}</div>", others.join(" · ")),
    }
}

fn small(markup: &str) -> String {
    if markup.is_empty() { String::new() } else { format!("<small>{markup}</small>") }
}
