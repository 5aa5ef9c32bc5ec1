//! A small run by hand: every rule, every effect, every reason for asking nothing, names that are markup, and an account
//! whose listing is not believed. The test and the example `report` write the same.

use rollcall::audit::{
    AccountSummary, Action, Confidence, Effect, Exemption, Finding, RosterState, RosterUsed, Rule, Savings, Summary,
    Withheld,
};
use rollcall::policy::{AuditMode, Price};
use std::collections::BTreeMap;

/// A finding about nobody yet.
pub(crate) fn finding(rule: Rule, effect: Effect, confidence: Confidence, reason: &str) -> Finding {
    Finding {
        rule,
        account: None,
        account_name: None,
        user: None,
        email: None,
        worker_id: None,
        department: None,
        licence: None,
        reason: reason.to_owned(),
        evidence: BTreeMap::new(),
        confidence,
        effect,
        hosting_days: None,
        proposal: None,
        withheld: None,
    }
}

/// Accounts: id, name, type.
const ENTERPRISE: [&str; 3] = ["a1f0c7e2-0001", "Acme Enterprise", "EnterpriseLWA"];
const LABS: [&str; 3] = ["a1f0c7e2-0002", "Acme R&D \"Labs\" <beta>", "EnterpriseOIDC"];
const CONTRACTORS: [&str; 3] = ["a1f0c7e2-0003", "Acme Contractors", "Team"];
const WORKS: [&str; 3] = ["a1f0c7e2-0004", "Acme Works", "EnterpriseDirectory"];

/// What a finding says beyond rule and reason.
trait Says: Sized {
    fn on(self, account: [&str; 3]) -> Self;
    fn user(self, user: &str, licence: &str) -> Self;
    fn person(self, email: &str, worker: &str, department: &str) -> Self;
    fn by(self, name: &str, value: &str) -> Self;
    fn hosting(self, days: u32) -> Self;
    fn asks(self, action: Action) -> Self;
    fn withholds(self, why: Withheld) -> Self;
}

impl Says for Finding {
    fn on(self, [id, name, _]: [&str; 3]) -> Finding {
        Finding { account: Some(id.to_owned()), account_name: Some(name.to_owned()), ..self }
    }

    fn user(self, user: &str, licence: &str) -> Finding {
        Finding { user: Some(user.to_owned()), licence: Some(licence.to_owned()), ..self }
    }

    fn person(self, email: &str, worker: &str, department: &str) -> Finding {
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Finding { email: known(email), worker_id: known(worker), department: known(department), ..self }
    }

    fn by(mut self, name: &str, value: &str) -> Finding {
        self.evidence.insert(name.to_owned(), value.to_owned());
        self
    }

    fn hosting(self, days: u32) -> Finding {
        Finding { hosting_days: Some(days), ..self }
    }

    fn asks(self, action: Action) -> Finding {
        Finding { proposal: Some(action), ..self }
    }

    fn withholds(self, why: Withheld) -> Finding {
        Finding { withheld: Some(why), ..self }
    }
}

/// The findings, as a run would tell them.
pub(crate) fn findings() -> Vec<Finding> {
    use Confidence::{High, Low, Medium};
    use Effect::{ClosesAccess, Informs, SavesMoney, TidiesUp};
    let left = "HR says terminated since 2026-10-20; the user is active.";
    let above = "The policy gives Basic to this job; the licence is Pro.";
    let never = "Invited 41 days ago, never registered.";
    vec![
        finding(Rule::Orphan, ClosesAccess, High, left)
            .on(ENTERPRISE)
            .user("u-0417", "Pro")
            .person("ada@acme.example", "00417", "Sales <EMEA> & \"Partners\"")
            .by("hr_status", "terminated")
            .by("since", "2026-10-20")
            .by("registration", "Registered")
            .hosting(12)
            .asks(Action::Removal),
        finding(Rule::Orphan, ClosesAccess, High, left)
            .on(ENTERPRISE)
            .user("u-0418", "Basic")
            .person("o'brien+ops@acme.example", "00418", "Operations")
            .withholds(Withheld::Protected),
        finding(Rule::Orphan, ClosesAccess, High, left)
            .on(LABS)
            .user("u-0419", "Pro")
            .person("jo@labs.acme.example", "00419", "Research")
            .withholds(Withheld::CoolDown),
        finding(Rule::UnknownToHr, ClosesAccess, Low, "Nobody in the roster has this address.")
            .on(CONTRACTORS)
            .user("u-0901", "Pro+Voice")
            .person("finn@contractors.acme.example", "", "")
            .by("name", "=HYPERLINK(\"https://evil.example\";\"Finn\")")
            .withholds(Withheld::OnlyTells),
        finding(Rule::UnknownToHr, ClosesAccess, Low, "The user has no address.")
            .on(CONTRACTORS)
            .user("u-0902", "Basic")
            .withholds(Withheld::NoAddress),
        finding(Rule::LicenceAbovePolicy, SavesMoney, High, above)
            .on(ENTERPRISE)
            .user("u-0501", "Pro")
            .person("grace@acme.example", "00501", "Finance")
            .by("due", "Basic")
            .hosting(9)
            .asks(Action::Reclaim),
        finding(Rule::LicenceAbovePolicy, TidiesUp, High, "The policy gives Plus to this job; the licence is Pro.")
            .on(ENTERPRISE)
            .user("u-0502", "Pro")
            .person("li@acme.example", "00502", "Finance")
            .by("due", "Plus")
            .hosting(0)
            .withholds(Withheld::OtherLicence),
        finding(Rule::LicenceAbovePolicy, TidiesUp, High, above)
            .on(LABS)
            .user("u-0503", "Pro")
            .person("ivy@labs.acme.example", "00503", "Research")
            .hosting(0)
            .withholds(Withheld::LicenceByGroups),
        finding(Rule::LicenceAbovePolicy, TidiesUp, Medium, "The licence is Pro.")
            .on(CONTRACTORS)
            .user("u-0504", "Pro")
            .person("noor@contractors.acme.example", "00504", "Field Service")
            .withholds(Withheld::NoLicencePolicy),
        finding(Rule::ProNeverRegistered, TidiesUp, Medium, never)
            .on(ENTERPRISE)
            .user("u-0601", "Pro")
            .person("sam@acme.example", "00601", "Legal")
            .by("invited", "2026-09-22")
            .asks(Action::Reclaim),
        finding(Rule::ProNeverRegistered, TidiesUp, Medium, never)
            .on(ENTERPRISE)
            .user("u-0602", "Pro")
            .person("shared@acme.example", "", "")
            .withholds(Withheld::SeveralInHr),
        finding(Rule::ProNeverRegistered, TidiesUp, Medium, never)
            .on(LABS)
            .user("u-0603", "Pro")
            .person("kim@labs.acme.example", "", "")
            .withholds(Withheld::NoRoster),
        finding(Rule::UnsupportedLicence, Informs, High, "The account offers Basic and Pro.")
            .on(CONTRACTORS)
            .user("u-0701", "Pro+Voice")
            .person("maria@contractors.acme.example", "00701", "Field Service"),
        finding(Rule::TrialRunningOut, Informs, High, "The trial ends in 5 days.")
            .on(ENTERPRISE)
            .user("u-0801", "ProTrial")
            .person("tom@acme.example", "00801", "Marketing")
            .by("ends", "2026-11-07"),
        finding(Rule::InvitationPending, Informs, High, "The invitation has waited for 16 days.")
            .on(ENTERPRISE)
            .user("u-0802", "Basic")
            .person("uma@acme.example", "00802", "Marketing"),
        finding(Rule::InvitationFailed, Informs, High, "The mail came back.").on(LABS).user("u-0803", "Basic").person(
            "vic@labs.acme.example",
            "00803",
            "Research",
        ),
        finding(Rule::AbsentFromChime, Informs, Medium, "HR says active for 12 days; no user has the address.").person(
            "wen@acme.example",
            "00804",
            "Customer Support",
        ),
        finding(Rule::DuplicatePerson, Informs, High, "The address has 2 users.")
            .on(ENTERPRISE)
            .user("u-0805", "Pro")
            .person("xia@acme.example", "00805", "Legal")
            .by("users", "u-0805, u-0806")
            .withholds(Withheld::SeveralUsers),
        finding(Rule::ProtectedUnknownToHr, Informs, Medium, "The policy protects the address; nobody in HR has it.")
            .on(ENTERPRISE)
            .user("u-0001", "Pro")
            .person("board@acme.example", "", ""),
        finding(Rule::SettingsDrift, Informs, High, "Remote control of a shared screen is on, and should be off.")
            .on(LABS)
            .by("DisableRemoteControl", "false")
            .by("wanted", "true"),
        finding(Rule::AccountSuspended, Informs, High, "The account is suspended.")
            .on(CONTRACTORS)
            .withholds(Withheld::AccountSuspended),
    ]
}

fn numbers(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
}

fn account([id, name, kind]: [&str; 3], users: [u64; 4], licences: &[(&str, u64)]) -> AccountSummary {
    let [users, registered, suspended, unregistered] = users;
    AccountSummary {
        id: id.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        users,
        registered,
        suspended,
        unregistered,
        licences: numbers(licences),
        incomplete: None,
    }
}

/// The departments: licences by Pro, `ProTrial` and Basic. Fourteen, so that two of them are `other`.
const DEPARTMENTS: [(&str, [u64; 3]); 14] = [
    ("Sales <EMEA> & \"Partners\"", [210, 2, 40]),
    ("Research", [190, 0, 20]),
    ("Operations", [80, 0, 130]),
    ("Engineering", [170, 1, 25]),
    ("Customer Support", [40, 0, 110]),
    ("Finance", [90, 0, 30]),
    ("Marketing", [75, 3, 22]),
    ("Legal", [60, 0, 4]),
    ("Human Resources", [44, 0, 11]),
    ("Field Service", [21, 0, 30]),
    ("Procurement and the Management of Suppliers, International", [25, 0, 12]),
    ("Facilities", [3, 0, 30]),
    ("Security", [14, 0, 5]),
    ("Internal Audit", [9, 0, 1]),
];

/// The numbers of the run.
pub(crate) fn summary() -> Summary {
    let departments = DEPARTMENTS.map(|(name, [pro, trial, basic])| {
        let licences = [("Pro", pro), ("ProTrial", trial), ("Basic", basic)].into_iter().filter(|(_, n)| *n > 0);
        (name.to_owned(), numbers(&licences.collect::<Vec<_>>()))
    });
    let works = account(WORKS, [900, 850, 20, 30], &[("Basic", 700), ("Pro", 200)]);
    Summary {
        run: "2026-11-02-weekly".to_owned(),
        at: "2026-11-02T05:00:00Z".parse().unwrap(),
        mode: AuditMode::Propose,
        roster: RosterUsed {
            state: RosterState::Used,
            loaded_at: Some("2026-11-01T22:30:00Z".parse().unwrap()),
            rows: 1_612,
            without_address: 14,
        },
        accounts: vec![
            account(CONTRACTORS, [48, 40, 0, 8], &[("Pro", 12), ("Basic", 34), ("Pro+Voice", 2)]),
            account(
                ENTERPRISE,
                [1_240, 1_150, 34, 56],
                &[("Pro", 820), ("ProTrial", 6), ("Plus", 14), ("Basic", 390), ("none", 10)],
            ),
            account(LABS, [310, 290, 5, 15], &[("Pro", 300), ("Basic", 10)]),
            AccountSummary { incomplete: Some("page 10 of ListUsers had no answer".to_owned()), ..works },
        ],
        departments: departments.into(),
        findings: [
            (Rule::Orphan, 3),
            (Rule::UnknownToHr, 2),
            (Rule::LicenceAbovePolicy, 4),
            (Rule::ProNeverRegistered, 3),
            (Rule::UnsupportedLicence, 1),
            (Rule::TrialRunningOut, 1),
            (Rule::InvitationPending, 1),
            (Rule::InvitationFailed, 1),
            (Rule::AbsentFromChime, 1),
            (Rule::DuplicatePerson, 1),
            (Rule::ProtectedUnknownToHr, 1),
            (Rule::SettingsDrift, 1),
            (Rule::AccountSuspended, 1),
        ]
        .into(),
        effects: [(Effect::ClosesAccess, 5), (Effect::SavesMoney, 1), (Effect::TidiesUp, 6), (Effect::Informs, 9)]
            .into(),
        exempted: [(Exemption::Tenure, 17), (Exemption::OnLeave, 9), (Exemption::Protected, 2)].into(),
        proposals: [(Action::Reclaim, 2), (Action::Removal, 1)].into(),
        savings: Savings { weeks: 4, hosting_days: 21, cost: Some(Price { amount: 63.0, currency: "USD".to_owned() }) },
    }
}
