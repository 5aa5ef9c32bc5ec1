//! Text and numbers as they stand in the page.

use crate::audit::{Confidence, Effect};
use crate::policy::{AuditMode, Price};
use jiff::Timestamp;
use std::fmt;

/// Text that came from elsewhere: nothing of it becomes markup.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\n' | '\t' => write!(f, "{c}"),
            // What turns the direction of writing would show other text than there is.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => f.write_str("\u{fffd}"),
            c if c.is_control() => f.write_str("\u{fffd}"),
            c => write!(f, "{c}"),
        })
    }
}

/// A number, its thousands apart by a narrow space that does not break.
pub(super) struct Number(pub(super) u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(&self.0.to_string()))
    }
}

/// A number, and what is counted: one, or several.
pub(super) fn count(n: u64, one: &str, several: &str) -> String {
    format!("{} {}", Number(n), if n == 1 { one } else { several })
}

/// An amount with its currency.
pub(super) fn money(price: &Price) -> String {
    let amount = format!("{:.2}", price.amount);
    let (whole, cents) = amount.split_once('.').unwrap_or((&amount, "00"));
    format!("{}\u{a0}{}.{cents}", Text(&price.currency), grouped(whole))
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A time, to the minute.
pub(super) fn time(at: Timestamp) -> String {
    format!("<time datetime=\"{at}\">{} UTC</time>", at.strftime("%Y-%m-%d %H:%M"))
}

pub(super) fn mode(mode: AuditMode) -> &'static str {
    match mode {
        AuditMode::Report => "report",
        AuditMode::Propose => "propose",
        AuditMode::Enforce => "enforce",
    }
}

/// What becomes of what the run proposes.
pub(super) fn consequence(mode: AuditMode) -> &'static str {
    match mode {
        AuditMode::Report => "What it proposes is told here, and that is all.",
        AuditMode::Propose => "What it proposes is in a plan, which an operator may apply.",
        AuditMode::Enforce => "What it proposes was asked for at once.",
    }
}

pub(super) fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::ClosesAccess => "closes access",
        Effect::SavesMoney => "saves money",
        Effect::TidiesUp => "tidies up",
        Effect::Informs => "informs",
    }
}

pub(super) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low confidence",
        Confidence::Medium => "medium confidence",
        Confidence::High => "high confidence",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_money_are_grouped() {
        for (n, shown) in [(0, "0"), (999, "999"), (1_000, "1|000"), (12_345_678, "12|345|678")] {
            assert_eq!(Number(n).to_string().replace('\u{202f}', "|"), shown);
        }
        let price = Price { amount: 1_234.5, currency: "USD".to_owned() };
        assert_eq!(money(&price), "USD\u{a0}1\u{202f}234.50");
        assert_eq!(count(1, "finding", "findings"), "1 finding");
    }

    #[test]
    fn text_never_becomes_markup() {
        assert_eq!(
            Text("<b title='x'>&\"\u{0}\u{202e}é").to_string(),
            "&lt;b title=&#39;x&#39;&gt;&amp;&quot;\u{fffd}\u{fffd}é"
        );
    }
}
