//! One table a rule: who is named, what is proposed, and who is spared.

use super::*;
use crate::audit::finding::{Action, Withheld};
use crate::directory::listing::{ListedAccount, Settings};
use crate::directory::{AccountId, AccountType, Invitation, Licence, Registration};
use crate::policy::Policy;
use serde_json::{Value, json};

/// Monday, three in the morning.
const NOW: &str = "2026-11-23T03:00:00Z";

fn at(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().unwrap()
}

fn account(kind: AccountType, active: bool) -> AccountListing {
    let id = AccountId::try_from("acc-1".to_owned()).unwrap();
    let licences = vec!["Basic".to_owned(), "Pro".to_owned()];
    let mut listing = AccountListing::new(ListedAccount { id, name: "Acme".to_owned(), kind, active, licences }, 0);
    listing.done = true;
    listing
}

/// A registered user with Pro.
fn user() -> SeenUser {
    serde_json::from_value(json!({
        "e": "ann@x.example", "a": 0, "u": "u-1", "r": "Registered", "i": "Accepted", "l": "Pro",
        "v": at("2021-03-01").as_second(), "g": at("2021-03-02").as_second(),
    }))
    .unwrap()
}

fn invited(state: Invitation, on: &str) -> SeenUser {
    let mut value = serde_json::to_value(user()).unwrap();
    value["v"] = json!(at(on).as_second());
    value.as_object_mut().unwrap().remove("g");
    value.as_object_mut().unwrap().remove("l");
    let user: SeenUser = serde_json::from_value(value).unwrap();
    SeenUser { registration: Registration::Unregistered, invitation: state, ..user }
}

fn row(status: &str, more: Value) -> Listed {
    let mut row = json!({ "e": "ann@x.example", "w": "007", "s": status, "f": "2021-03-01", "j": { "code": "OPS-1" } });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(row).unwrap()
}

fn active() -> Listed {
    row("active", json!({}))
}

/// What a test begins with: one user with Pro whose job comes with Basic.
struct Scene {
    policy: Value,
    account: AccountListing,
    users: Vec<SeenUser>,
    rows: Vec<Listed>,
    asked: Vec<Asked>,
    hosting_days: Option<u32>,
    weeks: u32,
    roster: RosterState,
}

fn scene() -> Scene {
    Scene {
        policy: json!({ "licences": { "default": "Basic" } }),
        account: account(AccountType::EnterpriseLwa, true),
        users: vec![user()],
        rows: vec![active()],
        asked: Vec::new(),
        hosting_days: None,
        weeks: 0,
        roster: RosterState::Used,
    }
}

impl Scene {
    fn with(mut self, change: impl FnOnce(&mut Scene)) -> Scene {
        change(&mut self);
        self
    }

    fn policy(self, section: &str, value: Value) -> Scene {
        self.with(|scene| scene.policy[section] = value)
    }

    fn rule(self, rule: &str, settings: Value) -> Scene {
        self.with(|scene| scene.policy["audit"]["rules"][rule] = settings)
    }

    fn rows(self, rows: impl IntoIterator<Item = Listed>) -> Scene {
        self.with(|scene| scene.rows = rows.into_iter().collect())
    }

    fn users(self, users: impl IntoIterator<Item = SeenUser>) -> Scene {
        self.with(|scene| scene.users = users.into_iter().collect())
    }

    fn asked(self, action: Action, days_ago: i64) -> Scene {
        let at = NOW.parse::<Timestamp>().unwrap() - SignedDuration::from_hours(24 * days_ago);
        let (email, account, user) = ("ann@x.example".to_owned(), "acc-1".to_owned(), "u-1".to_owned());
        self.with(|scene| scene.asked.push(Asked { email, account, user, action, at }))
    }

    fn judged(&self) -> Judged {
        let policy = Policy::parse(&self.policy.to_string()).unwrap();
        let protected = Protected::new(&policy.protected);
        let accounts = [self.account.clone()];
        let (roster, weeks, now) = (self.roster, self.weeks, NOW.parse().unwrap());
        let vanished = false;
        let ground =
            Ground { policy: &policy, protected: &protected, accounts: &accounts, vanished, roster, weeks, now };
        judge(
            &ground,
            &Person {
                email: self.users.first().map_or("ann@x.example", |user| &user.email),
                users: &self.users,
                rows: &self.rows,
                hosting_days: self.hosting_days,
                asked: &self.asked,
                looked_up: false,
            },
        )
    }
}

/// What a rule should say.
#[derive(Debug, PartialEq)]
enum Says {
    Nothing,
    Tells,
    Proposes(Action),
    Withholds(Withheld),
    Spares(Exemption),
}

fn check(rule: Rule, table: impl IntoIterator<Item = (&'static str, Scene, Says)>) {
    for (what, scene, expected) in table {
        let judged = scene.judged();
        let finding = judged.findings.iter().find(|finding| finding.rule == rule);
        let says = match finding.map(|finding| (finding.proposal, finding.withheld)) {
            None => judged.exempted.map_or(Says::Nothing, Says::Spares),
            Some((Some(action), None)) => Says::Proposes(action),
            Some((None, Some(withheld))) => Says::Withholds(withheld),
            Some((None, None)) => Says::Tells,
            Some((Some(_), Some(_))) => panic!("{what}: proposes and withholds"),
        };
        assert_eq!(says, expected, "{}: {what}", rule.as_str());
    }
}

#[test]
fn a_licence_above_the_policy() {
    let with_group =
        |minimum: Value| json!({ "groups": [{ "name": "a", "members": ["ann@x.example"], "minimum": minimum }] });
    check(
        Rule::LicenceAbovePolicy,
        [
            ("Pro, and the job comes with Basic", scene(), Says::Proposes(Action::Reclaim)),
            ("as the policy gives", scene().policy("licences", json!({ "default": "Pro" })), Says::Nothing),
            (
                "below what the policy gives",
                {
                    let basic = SeenUser { licence: Some("Basic".to_owned()), ..user() };
                    scene().policy("licences", json!({ "default": "Pro" })).users([basic])
                },
                Says::Nothing,
            ),
            ("no policy of licences", scene().with(|it| it.policy = json!({})), Says::Nothing),
            (
                "the rule is off",
                scene().rule("licence_above_policy", json!({ "enabled": false, "act": true })),
                Says::Nothing,
            ),
            (
                "the rule only tells",
                scene().rule("licence_above_policy", json!({ "enabled": true, "act": false })),
                Says::Withholds(Withheld::OnlyTells),
            ),
            ("the job is not known", scene().rows([row("active", json!({ "j": {} }))]), Says::Nothing),
            (
                "the job comes with Plus, and reclaiming leaves Basic",
                scene().policy("licences", json!({ "default": "Plus", "reclaim": "Basic" })),
                Says::Withholds(Withheld::OtherLicence),
            ),
            (
                "a trial is the user's own",
                scene().users([SeenUser { licence: Some("ProTrial".to_owned()), ..user() }]),
                Says::Nothing,
            ),
            ("blocked", scene().users([SeenUser { registration: Registration::Suspended, ..user() }]), Says::Nothing),
            ("a device in a room", scene().users([SeenUser { shared_device: true, ..user() }]), Says::Nothing),
            (
                "began 29 days ago",
                scene().rows([row("active", json!({ "f": "2026-10-25" }))]),
                Says::Spares(Exemption::Tenure),
            ),
            (
                "began 30 days ago",
                scene().rows([row("active", json!({ "f": "2026-10-24" }))]),
                Says::Proposes(Action::Reclaim),
            ),
            (
                "nobody knows since when",
                scene().rows([row("active", json!({ "f": null }))]),
                Says::Spares(Exemption::Tenure),
            ),
            (
                "tenure does not matter here",
                scene()
                    .rows([row("active", json!({ "f": "2026-11-22" }))])
                    .with(|it| it.policy["audit"]["exempt"]["tenure_days"] = json!(0)),
                Says::Proposes(Action::Reclaim),
            ),
            ("on leave", scene().rows([row("on_leave", json!({}))]), Says::Spares(Exemption::OnLeave)),
            (
                "active, and a leave covers today",
                scene().rows([row("active", json!({ "a": { "from": "2026-11-01", "to": "2026-11-23" } }))]),
                Says::Spares(Exemption::OnLeave),
            ),
            (
                "a leave that ended yesterday",
                scene().rows([row("active", json!({ "a": { "from": "2026-11-01", "to": "2026-11-22" } }))]),
                Says::Proposes(Action::Reclaim),
            ),
            (
                "a leave that is to come",
                scene().rows([row("active", json!({ "a": { "from": "2026-11-24", "to": null } }))]),
                Says::Proposes(Action::Reclaim),
            ),
            (
                "protected by address",
                scene().policy("protected", json!({ "emails": ["Ann@X.example"] })),
                Says::Spares(Exemption::Protected),
            ),
            (
                "protected by pattern",
                scene().policy("protected", json!({ "patterns": ["ann@*"] })),
                Says::Spares(Exemption::Protected),
            ),
            (
                "protected by number",
                scene().policy("protected", json!({ "worker_ids": ["007"] })),
                Says::Spares(Exemption::Protected),
            ),
            (
                "in a group that stays whole",
                scene().policy("protected", with_group(Value::Null)),
                Says::Spares(Exemption::Protected),
            ),
            (
                "in a group of which one stays",
                scene().policy("protected", with_group(json!(1))),
                Says::Proposes(Action::Reclaim),
            ),
            ("asked for 29 days ago", scene().asked(Action::Reclaim, 29), Says::Withholds(Withheld::CoolDown)),
            ("asked for 30 days ago", scene().asked(Action::Reclaim, 30), Says::Proposes(Action::Reclaim)),
            (
                "asked of another user of the address",
                scene().asked(Action::Reclaim, 1).with(|it| it.asked[0].user = "u-2".to_owned()),
                Says::Proposes(Action::Reclaim),
            ),
            ("has left", scene().rows([row("terminated", json!({ "l": "2026-11-01" }))]), Says::Nothing),
            ("nobody in HR", scene().rows([]), Says::Nothing),
            ("no roster", scene().with(|it| it.roster = RosterState::TooOld), Says::Nothing),
            (
                "the company's directory gives licences",
                scene().with(|it| it.account = account(AccountType::EnterpriseOidc, true)),
                Says::Withholds(Withheld::LicenceByGroups),
            ),
            (
                "the account is suspended",
                scene().with(|it| it.account = account(AccountType::Team, false)),
                Says::Withholds(Withheld::AccountSuspended),
            ),
            (
                "two users with the address",
                scene().users([user(), SeenUser { id: "u-2".to_owned().try_into().unwrap(), ..user() }]),
                Says::Withholds(Withheld::SeveralUsers),
            ),
            (
                "the policy names this account",
                scene().policy("accounts", json!([{ "account": "acc-1", "domains": ["x.example"] }])),
                Says::Proposes(Action::Reclaim),
            ),
            (
                "the policy names another account",
                scene().policy("accounts", json!([{ "account": "acc-2", "domains": ["x.example"] }])),
                Says::Withholds(Withheld::OtherAccount),
            ),
            (
                "two people with the address",
                scene().rows([active(), row("active", json!({ "w": "008" }))]),
                Says::Withholds(Withheld::SeveralInHr),
            ),
            (
                "who came back keeps the old row",
                scene().rows([row("terminated", json!({ "w": "006", "l": "2020-01-31" })), active()]),
                Says::Proposes(Action::Reclaim),
            ),
        ],
    );
}

#[test]
fn what_a_lower_licence_is_good_for_depends_on_the_usage() {
    let table = [
        (0, None, Effect::TidiesUp, None),
        (0, Some(3), Effect::TidiesUp, None),
        (4, None, Effect::TidiesUp, Some(0)),
        (4, Some(0), Effect::TidiesUp, Some(0)),
        (4, Some(3), Effect::SavesMoney, Some(3)),
    ];
    for (weeks, days, effect, told) in table {
        let judged = scene().with(|it| (it.weeks, it.hosting_days) = (weeks, days)).judged();
        let finding = &judged.findings[0];
        assert_eq!((finding.effect, finding.hosting_days), (effect, told), "{weeks} weeks, {days:?} days");
    }
}

#[test]
fn an_orphan() {
    let left = |last: &str| row("terminated", json!({ "l": last }));
    let gone = || scene().rows([left("2026-11-01")]);
    let unregistered = |state| SeenUser { registration: Registration::Unregistered, invitation: state, ..user() };
    check(
        Rule::Orphan,
        [
            ("left three weeks ago", gone(), Says::Proposes(Action::Removal)),
            (
                "left in HR without a last day",
                scene().rows([row("terminated", json!({}))]),
                Says::Proposes(Action::Removal),
            ),
            (
                "the last day was yesterday: another zone may still have it",
                scene().rows([left("2026-11-22")]),
                Says::Nothing,
            ),
            ("the last day was the day before", scene().rows([left("2026-11-21")]), Says::Proposes(Action::Removal)),
            ("terminated with a last day to come", scene().rows([left("2026-12-31")]), Says::Nothing),
            ("blocked", gone().users([SeenUser { registration: Registration::Suspended, ..user() }]), Says::Nothing),
            ("can still accept", gone().users([unregistered(Invitation::Pending)]), Says::Proposes(Action::Removal)),
            ("the invitation came back", gone().users([unregistered(Invitation::Failed)]), Says::Nothing),
            ("came back since", gone().with(|it| it.rows.push(active())), Says::Nothing),
            (
                "comes back soon",
                gone().with(|it| it.rows.push(row("pre_hire", json!({ "f": "2026-12-01" })))),
                Says::Nothing,
            ),
            (
                "protected",
                gone().policy("protected", json!({ "worker_ids": ["007"] })),
                Says::Withholds(Withheld::Protected),
            ),
            ("asked for yesterday", gone().asked(Action::Removal, 1), Says::Withholds(Withheld::CoolDown)),
            ("the licence was asked for yesterday", gone().asked(Action::Reclaim, 1), Says::Proposes(Action::Removal)),
            (
                "the rule only tells",
                gone().rule("orphan", json!({ "enabled": true, "act": false, "days": 1 })),
                Says::Withholds(Withheld::OnlyTells),
            ),
            (
                "the rule is off",
                gone().rule("orphan", json!({ "enabled": false, "act": true, "days": 1 })),
                Says::Nothing,
            ),
            (
                "two users with the address",
                gone().users([user(), SeenUser { id: "u-2".to_owned().try_into().unwrap(), ..user() }]),
                Says::Withholds(Withheld::SeveralUsers),
            ),
            (
                "of the company's directory",
                gone().with(|it| it.account = account(AccountType::EnterpriseDirectory, true)),
                Says::Proposes(Action::Removal),
            ),
            ("the roster is too old", gone().with(|it| it.roster = RosterState::TooOld), Says::Nothing),
            (
                "on leave when they left",
                scene()
                    .rows([row("terminated", json!({ "l": "2026-11-01", "a": { "from": "2026-10-01", "to": null } }))]),
                Says::Proposes(Action::Removal),
            ),
        ],
    );
}

#[test]
fn unknown_to_hr() {
    let acting = || scene().rows([]).rule("unknown_to_hr", json!({ "enabled": true, "act": true }));
    let basic = || SeenUser { licence: Some("Basic".to_owned()), ..user() };
    check(
        Rule::UnknownToHr,
        [
            ("by default it only tells", scene().rows([]), Says::Withholds(Withheld::OnlyTells)),
            ("a licence goes before access does", acting(), Says::Proposes(Action::Reclaim)),
            ("there is no licence to lower", acting().users([basic()]), Says::Proposes(Action::Removal)),
            (
                "the licence was asked for lately",
                acting().users([basic()]).asked(Action::Reclaim, 10),
                Says::Withholds(Withheld::CoolDown),
            ),
            (
                "the licence was asked for long ago",
                acting().users([basic()]).asked(Action::Reclaim, 31),
                Says::Proposes(Action::Removal),
            ),
            (
                "the company's directory gives licences",
                acting().with(|it| it.account = account(AccountType::EnterpriseOidc, true)),
                Says::Proposes(Action::Removal),
            ),
            ("known to HR", scene(), Says::Nothing),
            ("left", scene().rows([row("terminated", json!({ "l": "2026-11-01" }))]), Says::Nothing),
            ("protected", acting().policy("protected", json!({ "patterns": ["*@x.example"] })), Says::Nothing),
            (
                "no address",
                acting().users([SeenUser { email: String::new(), licence: None, ..user() }]),
                Says::Withholds(Withheld::NoAddress),
            ),
            ("blocked", acting().users([SeenUser { registration: Registration::Suspended, ..user() }]), Says::Nothing),
            ("no roster: nobody is unknown", acting().with(|it| it.roster = RosterState::Missing), Says::Nothing),
        ],
    );
    check(
        Rule::ProtectedUnknownToHr,
        [
            (
                "protected, and nobody in HR",
                scene().rows([]).policy("protected", json!({ "patterns": ["*@x.example"] })),
                Says::Tells,
            ),
            (
                "protected, and in HR",
                scene().policy("protected", json!({ "patterns": ["*@x.example"] })),
                Says::Spares(Exemption::Protected),
            ),
            ("not protected", scene().rows([]), Says::Nothing),
            (
                "off",
                scene()
                    .rows([])
                    .policy("protected", json!({ "patterns": ["*@x.example"] }))
                    .rule("protected_unknown_to_hr", json!({ "enabled": false })),
                Says::Nothing,
            ),
        ],
    );
}

#[test]
fn invitations_and_pro_licences_of_who_never_registered() {
    let pending = |on| scene().users([invited(Invitation::Pending, on)]);
    let failed = |on| scene().users([invited(Invitation::Failed, on)]);
    check(
        Rule::InvitationPending,
        [
            ("for 14 days", pending("2026-11-09"), Says::Tells),
            ("for 13 days", pending("2026-11-10"), Says::Nothing),
            (
                "of somebody new",
                pending("2026-11-01").rows([row("active", json!({ "f": "2026-11-20" }))]),
                Says::Spares(Exemption::Tenure),
            ),
            (
                "of somebody who has not begun",
                pending("2026-11-01").rows([row("pre_hire", json!({ "f": "2026-12-20" }))]),
                Says::Spares(Exemption::Tenure),
            ),
            (
                "of somebody on leave",
                pending("2026-11-01").rows([row("on_leave", json!({}))]),
                Says::Spares(Exemption::OnLeave),
            ),
            (
                "of who has left",
                pending("2026-11-01").rows([row("terminated", json!({ "l": "2026-11-01" }))]),
                Says::Nothing,
            ),
            (
                "without a roster",
                pending("2026-11-01").rows([]).with(|it| it.roster = RosterState::Missing),
                Says::Tells,
            ),
            ("accepted", scene(), Says::Nothing),
            (
                "off",
                pending("2026-11-01").rule("invitation_pending", json!({ "enabled": false, "days": 14 })),
                Says::Nothing,
            ),
        ],
    );
    check(
        Rule::InvitationFailed,
        [
            ("came back today", failed("2026-11-23"), Says::Tells),
            (
                "three days are given",
                failed("2026-11-21").rule("invitation_failed", json!({ "enabled": true, "days": 3 })),
                Says::Nothing,
            ),
            (
                "protected",
                failed("2026-11-01").policy("protected", json!({ "emails": ["ann@x.example"] })),
                Says::Spares(Exemption::Protected),
            ),
            ("pending", pending("2026-11-01"), Says::Nothing),
        ],
    );
    let pro = |on| scene().users([SeenUser { licence: Some("Pro".to_owned()), ..invited(Invitation::Pending, on) }]);
    let acting = json!({ "enabled": true, "act": true, "days": 30 });
    check(
        Rule::ProNeverRegistered,
        [
            ("by default it only tells", pro("2026-10-01"), Says::Withholds(Withheld::OnlyTells)),
            (
                "it may act",
                pro("2026-10-01").rule("pro_never_registered", acting.clone()),
                Says::Proposes(Action::Reclaim),
            ),
            ("29 days ago", pro("2026-10-25"), Says::Nothing),
            (
                "somebody new",
                pro("2026-10-01").rows([row("active", json!({ "f": "2026-11-20" }))]),
                Says::Spares(Exemption::Tenure),
            ),
            (
                "without a roster nothing is proposed",
                pro("2026-10-01")
                    .rule("pro_never_registered", acting.clone())
                    .with(|it| it.roster = RosterState::TooOld),
                Says::Withholds(Withheld::NoRoster),
            ),
            ("registered", scene(), Says::Nothing),
            ("whom HR does not know, another rule names", pro("2026-10-01").rows([]), Says::Nothing),
        ],
    );
}

#[test]
fn licences_that_are_odd() {
    let has = |licence: &str| scene().users([SeenUser { licence: Some(licence.to_owned()), ..user() }]);
    check(
        Rule::UnsupportedLicence,
        [
            ("not offered", has("Plus"), Says::Tells),
            ("offered", has("Basic"), Says::Nothing),
            ("a name that nobody knows", has("Gold"), Says::Tells),
            (
                "the account does not tell what it offers",
                has("Plus").with(|it| it.account.account.licences.clear()),
                Says::Nothing,
            ),
            ("on leave", has("Plus").rows([row("on_leave", json!({}))]), Says::Spares(Exemption::OnLeave)),
            ("a trial", has("ProTrial"), Says::Nothing),
        ],
    );
    let trial = |on: &str| {
        let mut value = serde_json::to_value(user()).unwrap();
        (value["l"], value["g"]) = (json!("ProTrial"), json!(at(on).as_second()));
        scene().users([serde_json::from_value(value).unwrap()])
    };
    check(
        Rule::TrialRunningOut,
        [
            ("ends in seven days", trial("2026-10-31"), Says::Tells),
            ("ends in eight days", trial("2026-11-01"), Says::Nothing),
            ("should have ended", trial("2026-01-01"), Says::Tells),
            (
                "somebody new",
                trial("2026-10-31").rows([row("active", json!({ "f": "2026-10-31" }))]),
                Says::Spares(Exemption::Tenure),
            ),
            (
                "off",
                trial("2026-01-01").rule("trial_running_out", json!({ "enabled": false, "days": 7 })),
                Says::Nothing,
            ),
            ("no trial", scene(), Says::Nothing),
        ],
    );
}

#[test]
fn absent_and_twice() {
    let absent = || scene().users([]);
    let tells = absent().judged().findings;
    assert_eq!(tells[0].confidence, Confidence::Medium, "a listing may skip somebody");
    check(
        Rule::AbsentFromChime,
        [
            ("active, and no user", absent(), Says::Tells),
            ("has a user", scene(), Says::Nothing),
            (
                "has a blocked user",
                scene().users([SeenUser { registration: Registration::Suspended, ..user() }]),
                Says::Nothing,
            ),
            ("began seven days ago", absent().rows([row("active", json!({ "f": "2026-11-16" }))]), Says::Nothing),
            (
                "eight days, and new",
                absent().rows([row("active", json!({ "f": "2026-11-15" }))]),
                Says::Spares(Exemption::Tenure),
            ),
            ("on leave", absent().rows([row("on_leave", json!({}))]), Says::Nothing),
            ("left", absent().rows([row("terminated", json!({}))]), Says::Nothing),
            (
                "the policy names an account that is not listed",
                absent().policy("accounts", json!([{ "account": "acc-2", "domains": ["x.example"] }])),
                Says::Nothing,
            ),
            (
                "an account is not believed",
                absent().with(|it| it.account.doubt(crate::audit::Incomplete::ShortPage)),
                Says::Nothing,
            ),
            ("off", absent().rule("absent_from_chime", json!({ "enabled": false, "days": 7 })), Says::Nothing),
        ],
    );
    let other = || SeenUser { id: "u-2".to_owned().try_into().unwrap(), ..user() };
    check(
        Rule::DuplicatePerson,
        [
            ("two users", scene().users([user(), other()]), Says::Tells),
            ("one user", scene(), Says::Nothing),
            (
                "a person and a device",
                scene().users([user(), SeenUser { shared_device: true, ..other() }]),
                Says::Nothing,
            ),
            (
                "off",
                scene().users([user(), other()]).rule("duplicate_person", json!({ "enabled": false })),
                Says::Nothing,
            ),
        ],
    );
}

#[test]
fn accounts_that_drift_or_are_suspended() {
    let found = |wanted: Value, has: Settings, active: bool| {
        let policy = Policy::parse(&json!({ "audit": { "rules": { "settings_drift": wanted } } }).to_string()).unwrap();
        let listing = AccountListing { settings: Some(has), ..account(AccountType::Team, active) };
        let protected = Protected::default();
        let (roster, now, accounts) = (RosterState::Missing, NOW.parse().unwrap(), [listing]);
        let vanished = false;
        let ground =
            Ground { policy: &policy, protected: &protected, accounts: &accounts, vanished, roster, weeks: 0, now };
        about_accounts(&ground).iter().map(|it| (it.rule, it.evidence.clone())).collect::<Vec<_>>()
    };
    let off = Settings { disable_remote_control: Some(false), enable_dial_out: Some(false) };
    let wanted = json!({ "enabled": true, "disable_remote_control": true, "enable_dial_out": false });
    let evidence = BTreeMap::from([("disable_remote_control".to_owned(), "is false, wanted true".to_owned())]);
    assert_eq!(found(wanted.clone(), off, true), [(Rule::SettingsDrift, evidence.clone())]);
    assert_eq!(found(wanted.clone(), Settings::default(), true), [], "the directory does not tell");
    assert_eq!(found(json!({ "enabled": true }), off, true), [], "nothing is wanted");
    assert_eq!(found(json!({ "enabled": false, "disable_remote_control": true }), off, true), []);
    let both = [(Rule::SettingsDrift, evidence), (Rule::AccountSuspended, BTreeMap::new())];
    assert_eq!(found(wanted, off, false), both);
}

#[test]
fn an_older_licence_name_is_compared_by_rank() {
    assert!(Licence::Basic < Licence::Plus && Licence::Plus < Licence::Pro);
}
