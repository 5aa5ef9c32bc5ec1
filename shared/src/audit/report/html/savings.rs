//! What could be saved, and what saves nothing.

use super::text::{Number, count, effect, money};
use crate::audit::{Effect, Savings, Summary};

/// The savings, as far as the usage tells, and what each effect means.
pub(super) fn savings(summary: &Summary) -> String {
    let rows: String = Effect::ALL
        .iter()
        .map(|each| {
            let n = summary.effects.get(each).copied().unwrap_or(0);
            format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td></tr>\n",
                effect(*each),
                meaning(*each),
                Number(n)
            )
        })
        .collect();
    format!(
        r#"<h2 id="savings">Savings</h2>
<p class="saving">{}</p>
<p>Chime bills Pro by the day on which a user hosts a meeting. A Pro licence without such a day costs nothing, and to
take it away saves nothing. That is why <em>saves money</em> and <em>tidies up</em> are different.</p>
<div class="scroll" role="group" aria-label="Findings by effect" tabindex="0"><table class="effects">
<caption>Findings by effect</caption>
<thead><tr><th scope="col">Effect</th><th scope="col">Meaning</th><th scope="col" class="n">Findings</th></tr></thead>
<tbody>
{rows}</tbody>
</table></div>
"#,
        computed(&summary.savings),
    )
}

fn computed(savings: &Savings) -> String {
    if savings.weeks == 0 {
        return "No usage was given, so no saving is computed.".to_owned();
    }
    let told = format!(
        "In {} of usage, users whose licence could go hosted meetings on <strong>{}</strong> at most.",
        count(savings.weeks.into(), "week", "weeks"),
        count(savings.hosting_days, "day", "days"),
    );
    match &savings.cost {
        Some(cost) => format!("{told} At the policy's price that is <strong>{}</strong>.", money(cost)),
        None => format!("{told} The policy names no price for such a day, so no cost is computed."),
    }
}

fn meaning(effect: Effect) -> &'static str {
    match effect {
        Effect::ClosesAccess => "Somebody loses access that is not due.",
        Effect::SavesMoney => "Costs less: the user hosted meetings in the weeks of the usage.",
        Effect::TidiesUp => "Costs the same: no hosting day is known.",
        Effect::Informs => "Somebody should look.",
    }
}
