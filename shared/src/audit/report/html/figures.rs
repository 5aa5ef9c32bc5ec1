//! Which charts the page has. Accounts whose listing is not believed are in none.

use super::chart::{Bar, Chart, Series};
use super::findings::section_id;
use super::text::count;
use crate::audit::{Rule, Summary};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How many departments have a bar of their own.
const DEPARTMENTS: usize = 12;

/// Users by licence.
type Licences = BTreeMap<String, u64>;

/// The charts.
pub(super) fn figures(summary: &Summary) -> String {
    let charts = [by_type(summary), by_department(summary), by_rule(summary)];
    let charts: String = charts.iter().map(Chart::render).collect();
    format!("<h2 id=\"charts\">Charts</h2>\n{charts}")
}

fn by_type(summary: &Summary) -> Chart<'static> {
    let mut types: BTreeMap<&str, Licences> = BTreeMap::new();
    for account in summary.accounts.iter().filter(|account| account.incomplete.is_none()) {
        add(types.entry(&account.kind).or_default(), &account.licences);
    }
    let left = summary.accounts.iter().filter(|account| account.incomplete.is_some()).count() as u64;
    let note = match left {
        0 => String::new(),
        _ => format!("<p>Without {} whose listing is not believed.</p>\n", count(left, "account", "accounts")),
    };
    let bars = types.into_iter().map(|(kind, licences)| (kind.to_owned(), licences)).collect();
    stacked("by-type", "Licences by account type", "Account type", note, bars)
}

fn by_department(summary: &Summary) -> Chart<'static> {
    let mut departments: Vec<_> =
        summary.departments.iter().map(|(name, licences)| (name.clone(), licences.clone())).collect();
    departments.sort_by_key(|(_, licences)| Reverse(licences.values().sum::<u64>()));
    let others = departments.split_off(departments.len().min(DEPARTMENTS));
    if !others.is_empty() {
        let mut all = Licences::new();
        others.iter().for_each(|(_, licences)| add(&mut all, licences));
        departments.push((format!("other ({})", count(others.len() as u64, "department", "departments")), all));
    }
    let note = "<p>Users whom HR does not know are in no department.</p>\n".to_owned();
    stacked("by-department", "Licences by department", "Department", note, departments)
}

fn by_rule(summary: &Summary) -> Chart<'static> {
    let bar = |rule: Rule| {
        let n = summary.findings.get(&rule).copied().unwrap_or(0);
        Bar { label: rule.title().to_owned(), link: (n > 0).then(|| section_id(rule)), numbers: vec![n] }
    };
    Chart {
        id: "by-rule",
        title: "Findings by rule",
        of: "Rule",
        note: String::new(),
        series: vec![Series { name: "Findings".to_owned(), colour: "c-one" }],
        bars: Rule::ALL.map(bar).into(),
    }
}

fn stacked(
    id: &'static str,
    title: &'static str,
    of: &'static str,
    note: String,
    bars: Vec<(String, Licences)>,
) -> Chart<'static> {
    let mut names: Vec<&str> = bars
        .iter()
        .flat_map(|(_, licences)| licences.keys().map(String::as_str))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    names.sort_by_key(|name| place(name));
    let number = |licences: &Licences| names.iter().map(|name| licences.get(*name).copied().unwrap_or(0)).collect();
    let bar =
        |(label, licences): &(String, Licences)| Bar { label: label.clone(), link: None, numbers: number(licences) };
    let series = |name: &&str| Series { name: (*name).to_owned(), colour: COLOURS[place(name)].1 };
    Chart { id, title, of, note, series: names.iter().map(series).collect(), bars: bars.iter().map(bar).collect() }
}

fn add(all: &mut Licences, licences: &Licences) {
    for (name, n) in licences {
        *all.entry(name.clone()).or_default() += n;
    }
}

/// The licences that are known, the dearest first, and the style's class of each. The last stands for all others.
const COLOURS: [(&str, &str); 6] = [
    ("Pro", "c-pro"),
    ("ProTrial", "c-trial"),
    ("Plus", "c-plus"),
    ("Basic", "c-basic"),
    ("none", "c-none"),
    ("", "c-other"),
];

fn place(licence: &str) -> usize {
    COLOURS.iter().position(|(name, _)| *name == licence).unwrap_or(COLOURS.len() - 1)
}
