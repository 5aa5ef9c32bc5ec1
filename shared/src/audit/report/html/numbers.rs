//! What is missing, and the key numbers.

use super::text::{Number, Text, count, time};
use crate::audit::{Action, Effect, Exemption, RosterState, Summary};

/// How many accounts the warning names.
const NAMED: usize = 20;

/// A warning first, where an account is incomplete or the roster could not be used.
pub(super) fn missing(summary: &Summary) -> String {
    let mut items: Vec<String> = roster(summary).into_iter().collect();
    let incomplete: Vec<_> =
        summary.accounts.iter().filter_map(|account| account.incomplete.as_ref().map(|why| (account, why))).collect();
    for (account, why) in incomplete.iter().take(NAMED) {
        items.push(format!(
            "The listing of <strong>{}</strong> is not believed: {}. Nothing is said or proposed about its users.",
            Text(&account.name),
            Text(why)
        ));
    }
    if incomplete.len() > NAMED {
        let more = (incomplete.len() - NAMED) as u64;
        items.push(format!("So it is with {}, see the table.", count(more, "more account", "more accounts")));
    }
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().map(|item| format!("<li>{item}</li>\n")).collect();
    format!(
        "<section class=\"warning\" aria-labelledby=\"missing\">\n<h2 id=\"missing\">Warning: this report is not \
         complete</h2>\n<ul>\n{items}</ul>\n</section>\n"
    )
}

fn roster(summary: &Summary) -> Option<String> {
    let what = match summary.roster.state {
        RosterState::Used => return None,
        RosterState::TooOld => match summary.roster.loaded_at {
            Some(at) => format!("The roster of {} is older than the policy believes.", time(at)),
            None => "The roster is older than the policy believes.".to_owned(),
        },
        RosterState::Missing => "There is no roster.".to_owned(),
    };
    Some(format!("{what} Nothing is said that rests on HR, and nothing is proposed."))
}

/// The key numbers.
pub(super) fn key_numbers(summary: &Summary) -> String {
    let believed = || summary.accounts.iter().filter(|account| account.incomplete.is_none());
    let effect = |effect: Effect| summary.effects.get(&effect).copied().unwrap_or(0);
    let action = |action: Action| summary.proposals.get(&action).copied().unwrap_or(0);
    let spared = |exemption: Exemption| summary.exempted.get(&exemption).copied().unwrap_or(0);
    let accounts = summary.accounts.len() as u64;
    let incomplete = accounts - believed().count() as u64;
    let roster = match summary.roster.loaded_at {
        Some(at) => format!("{} without address; loaded {}", Number(summary.roster.without_address), time(at)),
        None => format!("{} without address", Number(summary.roster.without_address)),
    };
    let spared_of = [Exemption::Tenure, Exemption::OnLeave, Exemption::Protected].map(|e| (e, spared(e)));
    let spared_how: Vec<_> = spared_of.iter().map(|(e, n)| format!("{}: {}", exemption(*e), Number(*n))).collect();
    let tiles = [
        ("findings", "Findings", summary.findings.values().sum(), String::new()),
        ("closes_access", "Close access", effect(Effect::ClosesAccess), "somebody loses access that is not due".into()),
        ("saves_money", "Save money", effect(Effect::SavesMoney), "users who hosted meetings".into()),
        ("tidies_up", "Tidy up", effect(Effect::TidiesUp), "costs the same".into()),
        ("informs", "Inform", effect(Effect::Informs), "somebody should look".into()),
        ("removal", "Removals proposed", action(Action::Removal), "no access".into()),
        ("reclaim", "Reclaims proposed", action(Action::Reclaim), "a lower licence".into()),
        ("accounts", "Accounts", accounts, format!("{} not complete", Number(incomplete))),
        ("users", "Users", believed().map(|account| account.users).sum(), "of complete accounts".into()),
        ("roster", "People in the roster", summary.roster.rows, roster),
        ("spared", "Spared", spared_of.iter().map(|(_, n)| n).sum(), spared_how.join(", ")),
    ];
    let tiles: String = tiles.iter().map(|(id, name, n, note)| tile(id, name, *n, note)).collect();
    format!("<h2 id=\"numbers\">Key numbers</h2>\n<dl class=\"tiles\">\n{tiles}</dl>\n")
}

fn tile(id: &str, name: &str, n: u64, note: &str) -> String {
    let note = if note.is_empty() { String::new() } else { format!("<small>{note}</small>") };
    format!("<div id=\"n-{id}\"><dt>{name}</dt><dd><b>{}</b>{note}</dd></div>\n", Number(n))
}

fn exemption(exemption: Exemption) -> &'static str {
    match exemption {
        Exemption::Tenure => "new",
        Exemption::OnLeave => "on leave",
        Exemption::Protected => "protected",
    }
}
