//! The sections of the policy that keep Rollcall safe to act unattended: brake, protected accounts, observe mode.

use crate::plan::ActionClass;
use crate::routes::Function;
use jiff::{Span, SpanRelativeTo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// The mass-change brake: at most so many changes of a class in a sliding window; what is over is held.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrakeRules {
    /// Suspensions and removals.
    #[serde(default)]
    pub access: Option<ClassRules>,
    /// Licence downgrades.
    #[serde(default)]
    pub licence: Option<ClassRules>,
}

impl BrakeRules {
    /// The rules of a class; `None` where it is not braked.
    #[must_use]
    pub fn of(&self, class: ActionClass) -> Option<&ClassRules> {
        match class {
            ActionClass::Access => self.access.as_ref(),
            ActionClass::Licence => self.licence.as_ref(),
        }
    }
}

/// The limits of one class of changes. Every one of them must hold.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassRules {
    /// Over all accounts together. Several windows: a short one for the burst, a long one for the drip.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// In each account by itself, besides.
    #[serde(default)]
    pub per_account: Vec<Limit>,
}

/// At most so many changes in any window of this length.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// So many changes. 0 holds every one.
    pub count: u32,
    /// So many of a hundred registered, unsuspended users, at least 1. They are counted by the licence audit or told by
    /// `rollcall brake population`; with no such count, or one older than 7 days, `count` stands alone.
    #[serde(default)]
    pub percent: Option<Percent>,
    /// Whether `any` of `count` and `percent` stops a change, or only `all` of them together.
    #[serde(default)]
    pub when: When,
    /// How long the window is.
    pub window: Window,
}

/// Whether any limit stops a change, or only all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The lower of `count` and `percent` holds.
    #[default]
    Any,
    /// The higher of the two holds.
    All,
}

/// A share: more than 0, at most 100.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "f64")]
#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 100))]
pub struct Percent(f64);

impl TryFrom<f64> for Percent {
    type Error = &'static str;

    fn try_from(share: f64) -> Result<Percent, &'static str> {
        if share > 0.0 && share <= 100.0 { Ok(Percent(share)) } else { Err("percent must be above 0 and at most 100") }
    }
}

impl Percent {
    /// So many of a hundred of `whole`, rounded down, at least 1.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a number of people: small, and never negative"
    )]
    pub fn of(self, whole: u64) -> u64 {
        ((whole as f64 * self.0 / 100.0).floor() as u64).max(1)
    }
}

/// A length of time from one second to 90 days, for example `"1h"`, `"7d"` or `"PT90M"`. A day has 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Window(u32);

impl TryFrom<String> for Window {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Window, &'static str> {
        const WRONG: &str = "window must be a length of time from 1 second to 90 days, for example \"1h\" or \"7d\"";
        let span: Span = text.parse().map_err(|_| WRONG)?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| WRONG)?;
        let seconds = u32::try_from(length.as_secs()).map_err(|_| WRONG)?;
        if (1..=90 * 24 * 60 * 60).contains(&seconds) { Ok(Window(seconds)) } else { Err(WRONG) }
    }
}

/// In the largest unit that divides it.
impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let units = [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')];
        let unit = units.into_iter().find(|(length, _)| self.0.is_multiple_of(*length));
        let (length, name) = unit.unwrap_or((1, 's'));
        serializer.serialize_str(&format!("{}{name}", self.0 / length))
    }
}

impl Window {
    /// A window of so many days.
    pub(super) const fn days(days: u32) -> Window {
        Window(days * 24 * 60 * 60)
    }

    /// Its length in seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }
}

/// People from whom nothing is taken unless an operator releases the event.
#[derive(Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProtectedRules {
    /// Addresses.
    pub emails: Vec<String>,
    /// Addresses with `*` for any characters: `svc-*@example.com`. An event that carries no address is held while there
    /// are patterns, since nobody can tell whether one matches.
    pub patterns: Vec<String>,
    /// Employee numbers.
    pub worker_ids: Vec<String>,
    /// People of whom some must stay.
    pub groups: Vec<GroupRule>,
}

/// A group of people, for example the administrators of the directory: its API does not tell who they are.
#[derive(Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRule {
    /// What it is called in reasons and in `rollcall brake`: letters, digits and `-`.
    pub name: String,
    /// Its members, each by an address or an employee number.
    pub members: Vec<String>,
    /// How many must keep their access. Absent: all of them.
    #[serde(default)]
    pub minimum: Option<u32>,
}

/// Both name people.
impl std::fmt::Debug for ProtectedRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProtectedRules").field("groups", &self.groups).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for GroupRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupRule").field("name", &self.name).field("minimum", &self.minimum).finish_non_exhaustive()
    }
}

/// What acts, and what only says what it would do.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModeRules {
    /// By function. Others act.
    #[schemars(with = "BTreeMap<String, Mode>")]
    pub functions: BTreeMap<Function, Mode>,
    /// By class of change. Others act.
    pub classes: BTreeMap<ActionClass, Mode>,
}

/// Whether steps are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are.
    #[default]
    Act,
    /// They are recorded only; the event waits to be released.
    Observe,
}

impl ModeRules {
    /// How a function stands with a class of change: it observes where either does.
    #[must_use]
    pub fn of(&self, function: Function, class: Option<ActionClass>) -> Mode {
        let observes = |mode: Option<&Mode>| mode == Some(&Mode::Observe);
        let either =
            observes(self.functions.get(&function)) || observes(class.and_then(|class| self.classes.get(&class)));
        if either { Mode::Observe } else { Mode::Act }
    }
}

impl ProtectedRules {
    /// What is wrong, and where; `None` where nothing is.
    pub(super) fn problem(&self) -> Option<(String, &'static str)> {
        let address = |text: &String| crate::person::WorkEmail::parse(text).is_ok();
        if let Some(index) = self.emails.iter().position(|email| !address(email)) {
            return Some((format!("protected.emails[{index}]"), "must be an e-mail address"));
        }
        if let Some(index) = self.patterns.iter().position(|pattern| !pattern.contains('@')) {
            return Some((format!("protected.patterns[{index}]"), "must be a pattern of e-mail addresses"));
        }
        if let Some(index) = self.worker_ids.iter().position(|id| id.trim().is_empty()) {
            return Some((format!("protected.worker_ids[{index}]"), "must be an employee number"));
        }
        let mut names = BTreeSet::new();
        for (index, group) in self.groups.iter().enumerate() {
            let named = !group.name.is_empty() && group.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            if !named {
                return Some((format!("protected.groups[{index}].name"), "must be letters, digits and -"));
            }
            if !names.insert(group.name.as_str()) {
                return Some((format!("protected.groups[{index}].name"), "is an earlier group's"));
            }
            let members: BTreeSet<String> = group.members.iter().map(|member| member.trim().to_lowercase()).collect();
            if members.len() < group.members.len() || members.contains("") {
                return Some((format!("protected.groups[{index}].members"), "must name each person once"));
            }
            if group.minimum.is_some_and(|minimum| minimum as usize > group.members.len()) {
                return Some((format!("protected.groups[{index}].minimum"), "must not be above the number of members"));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_length_of_time_within_bounds() {
        let table = [("1h", Some(3600)), ("7d", Some(604_800)), ("PT90M", Some(5400)), ("10s", Some(10))];
        for (text, seconds) in table {
            assert_eq!(Window::try_from(text.to_owned()).ok().map(Window::seconds), seconds, "{text}");
        }
        for text in ["7d", "25h", "90m", "61s"] {
            let written = serde_json::to_value(Window::try_from(text.to_owned()).unwrap()).unwrap();
            assert_eq!(written, text);
        }
        for wrong in ["", "1", "0s", "91d", "-1h", "soon", "1 month"] {
            assert!(Window::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_rounded_down_and_at_least_one() {
        let five = Percent::try_from(5.0).unwrap();
        assert_eq!([0, 1, 20, 39, 40, 1000].map(|whole| five.of(whole)), [1, 1, 1, 1, 2, 50]);
        assert!(Percent::try_from(0.0).is_err() && Percent::try_from(f64::NAN).is_err());
    }

    #[test]
    fn either_a_function_or_a_class_observes() {
        let rules = |text: &str| serde_json::from_str::<ModeRules>(text).unwrap();
        let function = Function::SuspendUser;
        let access = Some(ActionClass::Access);
        assert_eq!(rules("{}").of(function, access), Mode::Act);
        assert_eq!(rules(r#"{"functions":{"suspend-user":"observe"}}"#).of(function, access), Mode::Observe);
        assert_eq!(rules(r#"{"classes":{"access":"observe"}}"#).of(function, access), Mode::Observe);
        assert_eq!(rules(r#"{"classes":{"licence":"observe"}}"#).of(function, access), Mode::Act);
    }
}
