//! The table of accounts.

use super::text::{Number, Text, count};
use crate::audit::{AccountSummary, Summary};

/// How many accounts the table shows.
const SHOWN: usize = 200;

/// The accounts, and whether their listings are complete. Those that are not come first.
pub(super) fn accounts(summary: &Summary) -> String {
    let mut accounts: Vec<_> = summary.accounts.iter().collect();
    accounts.sort_by_key(|account| account.incomplete.is_none());
    let more = match accounts.len().saturating_sub(SHOWN) as u64 {
        0 => String::new(),
        more => format!(
            "<p class=\"more\">The first {SHOWN} are shown; {} more are in <code>report.json</code>.</p>\n",
            Number(more)
        ),
    };
    let rows: String = accounts.iter().take(SHOWN).map(|account| row(account)).collect();
    let headings: String = ["Users", "Registered", "Suspended", "Not registered"]
        .map(|heading| format!("<th role=\"columnheader\" scope=\"col\" class=\"n\">{heading}</th>"))
        .concat();
    format!(
        r#"<h2 id="accounts">Accounts</h2>
{more}<table class="cards accounts" role="table">
<caption><span class="hidden">Accounts: </span>{}</caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Account</th><th role="columnheader" scope="col">Type</th>{headings}<th role="columnheader" scope="col">Licences</th><th role="columnheader" scope="col">Listing</th></tr></thead>
<tbody role="rowgroup">
{rows}</tbody>
</table>
"#,
        count(accounts.len() as u64, "account", "accounts"),
    )
}

fn row(account: &AccountSummary) -> String {
    let number = |heading: &str, n: u64| {
        format!("<td role=\"cell\" class=\"n\" data-is=\"{heading}\"><div>{}</div></td>", Number(n))
    };
    let licences: Vec<_> = account.licences.iter().map(|(name, n)| format!("{} {}", Text(name), Number(*n))).collect();
    let listing = match &account.incomplete {
        None => "<div>complete</div>".to_owned(),
        Some(why) => format!("<div><strong class=\"bad\">not believed</strong><small>{}</small></div>", Text(why)),
    };
    format!(
        "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\"><div>{}<small>{}</small></div></th>\
         <td role=\"cell\" data-is=\"Type\"><div>{}</div></td>{}{}{}{}<td role=\"cell\" data-is=\"Licences\"><div>{}</div></td>\
         <td role=\"cell\" data-is=\"Listing\">{listing}</td></tr>\n",
        Text(&account.name),
        Text(&account.id),
        Text(&account.kind),
        number("Users", account.users),
        number("Registered", account.registered),
        number("Suspended", account.suspended),
        number("Not registered", account.unregistered),
        if licences.is_empty() { "–".to_owned() } else { licences.join(", ") },
    )
}
