//! Any sequence of operations leaves the state that a small reference model gives.
//!
//! The model knows accounts as a list and users as a list, and states each rule of the API's reference in one line.

use crate::stage::{ask, core};
use proptest::prelude::*;
use rollcall_local::chime::core::Core;
use serde_json::{Value, json};

const ACCOUNTS: [&str; 4] = ["team", "lwa", "directory", "oidc"];

/// Operations on account `0..4` and people `0..5`; person `n` of an account has the address `p<n>@<account>.example`.
#[derive(Clone, Debug)]
enum Act {
    Suspend(usize, Vec<usize>),
    Unsuspend(usize, Vec<usize>),
    Relicense(usize, Vec<(usize, &'static str)>),
    Update(usize, usize, &'static str),
    Logout(usize, usize),
    Invite(usize, Vec<usize>),
    Create(usize, usize, bool),
    Accept(usize, usize),
    SignIn(usize, usize),
    Register(usize, usize),
    DefaultLicense(usize, &'static str),
    Settings(usize, Option<bool>, Option<bool>),
    Telephony(usize, usize, bool),
    Groups(usize, bool, Vec<u8>),
    Delete(usize),
}

#[derive(Clone, Debug, PartialEq)]
struct Person {
    number: usize,
    status: &'static str,
    licence: Option<&'static str>,
    sessions: u32,
    calls: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Account {
    licence: &'static str,
    people: Vec<Person>,
    settings: (bool, bool),
    groups: Vec<u8>,
}

/// `None`: deleted.
type Model = Vec<Option<Account>>;

fn start() -> Model {
    let person = |number| Person { number, status: "Registered", licence: Some("Pro"), sessions: 2, calls: false };
    let account = || Account {
        licence: "Pro",
        people: (0..3).map(person).collect(),
        settings: (false, false),
        groups: Vec::new(),
    };
    (0..4).map(|_| Some(account())).collect()
}

/// What the rules say. `team`, `lwa` and so on are told apart by their number.
fn expect(model: &mut Model, act: &Act) {
    let at = match act {
        Act::Suspend(at, _)
        | Act::Unsuspend(at, _)
        | Act::Relicense(at, _)
        | Act::Update(at, ..)
        | Act::Logout(at, _)
        | Act::Invite(at, _)
        | Act::Create(at, ..)
        | Act::Accept(at, _)
        | Act::SignIn(at, _)
        | Act::Register(at, _)
        | Act::DefaultLicense(at, _)
        | Act::Settings(at, ..)
        | Act::Telephony(at, ..)
        | Act::Groups(at, ..)
        | Act::Delete(at) => *at,
    };
    let (team, lwa, is_directory) = (at == 0, at == 1, at >= 2);
    let Some(account) = model[at].as_mut() else { return };
    let people = &mut account.people;
    let find = |people: &mut Vec<Person>, number: usize| people.iter().position(|person| person.number == number);
    match act {
        Act::Suspend(_, numbers) if team => people.retain(|person| !numbers.contains(&person.number)),
        Act::Suspend(_, numbers) if lwa => {
            for person in people.iter_mut().filter(|person| numbers.contains(&person.number)) {
                (person.status, person.sessions) = ("Suspended", 0);
            }
        }
        Act::Unsuspend(_, numbers) if lwa => {
            for person in people.iter_mut().filter(|person| numbers.contains(&person.number)) {
                person.status = if person.status == "Suspended" { "Registered" } else { person.status };
            }
        }
        Act::Suspend(..) | Act::Unsuspend(..) => {}
        Act::Relicense(_, wishes) if !is_directory => {
            let mut done = Vec::new();
            for (number, licence) in wishes {
                let first = !done.contains(number);
                done.push(*number);
                if let Some(found) = find(people, *number).filter(|_| first && *licence != "Plus") {
                    people[found].licence = Some(licence);
                }
            }
        }
        Act::Update(_, number, licence) if !is_directory && *licence != "Plus" => {
            if let Some(found) = find(people, *number) {
                people[found].licence = Some(licence);
            }
        }
        Act::Relicense(..) | Act::Update(..) => {}
        Act::Logout(_, number) => {
            if let Some(found) = find(people, *number) {
                people[found].sessions = 0;
            }
        }
        Act::Invite(_, numbers) if team => {
            for number in numbers {
                if find(people, *number).is_none() {
                    let person =
                        Person { number: *number, status: "Unregistered", licence: None, sessions: 0, calls: false };
                    people.push(person);
                }
            }
        }
        Act::Invite(..) => {}
        Act::Create(_, number, device) => {
            if find(people, *number).is_none() && (*device || team) {
                let licence = Some(account.licence);
                people.push(Person { number: *number, status: "Registered", licence, sessions: 0, calls: false });
            }
        }
        Act::Accept(_, number) => {
            if let Some(found) = find(people, *number).filter(|found| people[*found].status == "Unregistered") {
                (people[found].status, people[found].licence) = ("Registered", Some(account.licence));
            }
        }
        Act::SignIn(_, number) => {
            if let Some(found) = find(people, *number).filter(|found| people[*found].status == "Registered") {
                people[found].sessions += 1;
            }
        }
        Act::Register(_, number) => {
            if !team && find(people, *number).is_none() {
                let licence = Some(account.licence);
                people.push(Person { number: *number, status: "Registered", licence, sessions: 0, calls: false });
            }
        }
        Act::DefaultLicense(_, licence) => {
            if *licence != "Plus" {
                account.licence = licence;
            }
        }
        Act::Settings(_, remote, dial_out) => {
            account.settings = (remote.unwrap_or(account.settings.0), dial_out.unwrap_or(account.settings.1));
        }
        Act::Telephony(_, number, on) => {
            if let Some(found) = find(people, *number) {
                people[found].calls = *on;
            }
        }
        Act::Groups(_, join, groups) => {
            if at == 2 && *join {
                for group in groups {
                    if !account.groups.contains(group) {
                        account.groups.push(*group);
                    }
                }
            } else if at == 2 {
                account.groups.retain(|group| !groups.contains(group));
            }
        }
        Act::Delete(_) => {
            if team && people.is_empty() {
                model[at] = None;
            }
        }
    }
}

fn email(account: &str, number: usize) -> String {
    format!("p{number}@{account}.example")
}

/// The id of a person as a client would find it; one that nobody has where there is none.
fn id(core: &Core, account: &str, number: usize) -> String {
    core.user_id_of(account, &email(account, number)).unwrap_or_else(|| format!("nobody-{number}"))
}

fn play(core: &mut Core, act: &Act) {
    let ids = |core: &Core, at: usize, numbers: &[usize]| -> Vec<String> {
        numbers.iter().map(|number| id(core, ACCOUNTS[at], *number)).collect()
    };
    let (method, target, body) = match act {
        Act::Suspend(at, numbers) => {
            let ids = ids(core, *at, numbers);
            ("POST", format!("/accounts/{}/users?operation=suspend", ACCOUNTS[*at]), json!({ "UserIdList": ids }))
        }
        Act::Unsuspend(at, numbers) => {
            let ids = ids(core, *at, numbers);
            ("POST", format!("/accounts/{}/users?operation=unsuspend", ACCOUNTS[*at]), json!({ "UserIdList": ids }))
        }
        Act::Relicense(at, wishes) => {
            let item = |(number, licence): &(usize, &str)| json!({ "UserId": id(core, ACCOUNTS[*at], *number), "LicenseType": licence });
            let items: Vec<Value> = wishes.iter().map(item).collect();
            ("POST", format!("/accounts/{}/users", ACCOUNTS[*at]), json!({ "UpdateUserRequestItems": items }))
        }
        Act::Update(at, number, licence) => {
            let user = id(core, ACCOUNTS[*at], *number);
            ("POST", format!("/accounts/{}/users/{user}", ACCOUNTS[*at]), json!({ "LicenseType": licence }))
        }
        Act::Logout(at, number) => {
            let user = id(core, ACCOUNTS[*at], *number);
            ("POST", format!("/accounts/{}/users/{user}?operation=logout", ACCOUNTS[*at]), Value::Null)
        }
        Act::Invite(at, numbers) => {
            let emails: Vec<String> = numbers.iter().map(|number| email(ACCOUNTS[*at], *number)).collect();
            ("POST", format!("/accounts/{}/users?operation=add", ACCOUNTS[*at]), json!({ "UserEmailList": emails }))
        }
        Act::Create(at, number, device) => {
            let kind = if *device { "SharedDevice" } else { "PrivateUser" };
            let body = json!({ "Email": email(ACCOUNTS[*at], *number), "UserType": kind });
            ("POST", format!("/accounts/{}/users?operation=create", ACCOUNTS[*at]), body)
        }
        Act::DefaultLicense(at, licence) => {
            ("POST", format!("/accounts/{}", ACCOUNTS[*at]), json!({ "DefaultLicense": licence }))
        }
        Act::Settings(at, remote, dial_out) => {
            let settings = json!({ "DisableRemoteControl": remote, "EnableDialOut": dial_out });
            ("PUT", format!("/accounts/{}/settings", ACCOUNTS[*at]), json!({ "AccountSettings": settings }))
        }
        Act::Telephony(at, number, on) => {
            let user = id(core, ACCOUNTS[*at], *number);
            let telephony = json!({ "InboundCalling": on, "OutboundCalling": on, "SMS": on });
            let body = json!({ "UserSettings": { "Telephony": telephony } });
            ("PUT", format!("/accounts/{}/users/{user}/settings", ACCOUNTS[*at]), body)
        }
        Act::Groups(at, true, groups) => {
            let groups: Vec<Value> = groups.iter().map(|group| json!({ "GroupName": format!("g{group}") })).collect();
            let target = format!("/accounts/{}?operation=associate-signin-delegate-groups", ACCOUNTS[*at]);
            ("POST", target, json!({ "SigninDelegateGroups": groups }))
        }
        Act::Groups(at, false, groups) => {
            let names: Vec<String> = groups.iter().map(|group| format!("g{group}")).collect();
            let target = format!("/accounts/{}?operation=disassociate-signin-delegate-groups", ACCOUNTS[*at]);
            ("POST", target, json!({ "GroupNames": names }))
        }
        Act::Delete(at) => ("DELETE", format!("/accounts/{}", ACCOUNTS[*at]), Value::Null),
        // People, not the API.
        Act::Accept(at, number) => {
            let user = id(core, ACCOUNTS[*at], *number);
            let _refused = core.accept(ACCOUNTS[*at], &user, None);
            return;
        }
        Act::SignIn(at, number) => {
            let user = id(core, ACCOUNTS[*at], *number);
            let _refused = core.sign_in(ACCOUNTS[*at], &user);
            return;
        }
        Act::Register(at, number) => {
            let _refused = core.register(ACCOUNTS[*at], &email(ACCOUNTS[*at], *number), None);
            return;
        }
    };
    let status = ask(core, method, &target, &body).status;
    assert!(status < 500, "{act:?} answered {status}");
}

/// The service's state in the model's words, read through the API where the API shows it.
fn read(core: &mut Core) -> Model {
    ACCOUNTS.iter().map(|account| read_account(core, account)).collect()
}

fn read_account(core: &mut Core, account: &str) -> Option<Account> {
    let word = |value: &Value| match value.as_str() {
        Some("Basic") => Some("Basic"),
        Some("Pro") => Some("Pro"),
        Some("Registered") => Some("Registered"),
        Some("Suspended") => Some("Suspended"),
        Some("Unregistered") => Some("Unregistered"),
        _ => None,
    };
    let got = ask(core, "GET", &format!("/accounts/{account}"), &Value::Null);
    if got.status == 404 {
        return None;
    }
    let got = got.body.unwrap();
    let settings = ask(core, "GET", &format!("/accounts/{account}/settings"), &Value::Null).body.unwrap();
    let flag = |name: &str| settings["AccountSettings"][name].as_bool().unwrap();
    let listed = ask(core, "GET", &format!("/accounts/{account}/users"), &Value::Null).body.unwrap();
    let person = |user: &Value| {
        let id = user["UserId"].as_str().unwrap();
        let known = core.account(account).unwrap().user(id).unwrap();
        let number = user["PrimaryEmail"].as_str().unwrap()[1..].split('@').next().unwrap().parse().unwrap();
        Person {
            number,
            status: word(&user["UserRegistrationStatus"]).unwrap(),
            licence: word(&user["LicenseType"]),
            sessions: known.sessions,
            calls: known.telephony.sms,
        }
    };
    Some(Account {
        licence: word(&got["Account"]["DefaultLicense"]).unwrap(),
        people: listed["Users"].as_array().unwrap().iter().map(person).collect(),
        settings: (flag("DisableRemoteControl"), flag("EnableDialOut")),
        groups: got["Account"]["SigninDelegateGroups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["GroupName"].as_str().unwrap()[1..].parse().unwrap())
            .collect(),
    })
}

fn act() -> impl Strategy<Value = Act> {
    let (at, who) = (0..4_usize, 0..5_usize);
    let licence = prop_oneof![Just("Basic"), Just("Pro"), Just("Plus")];
    let some = prop::collection::vec(0..5_usize, 0..4);
    prop_oneof![
        (at.clone(), some.clone()).prop_map(|(at, who)| Act::Suspend(at, who)),
        (at.clone(), some.clone()).prop_map(|(at, who)| Act::Unsuspend(at, who)),
        (at.clone(), prop::collection::vec((who.clone(), licence.clone()), 0..4))
            .prop_map(|(at, wishes)| Act::Relicense(at, wishes)),
        (at.clone(), who.clone(), licence.clone()).prop_map(|(at, who, licence)| Act::Update(at, who, licence)),
        (at.clone(), who.clone()).prop_map(|(at, who)| Act::Logout(at, who)),
        (at.clone(), some).prop_map(|(at, who)| Act::Invite(at, who)),
        (at.clone(), who.clone(), any::<bool>()).prop_map(|(at, who, device)| Act::Create(at, who, device)),
        (at.clone(), who.clone()).prop_map(|(at, who)| Act::Accept(at, who)),
        (at.clone(), who.clone()).prop_map(|(at, who)| Act::SignIn(at, who)),
        (at.clone(), who.clone()).prop_map(|(at, who)| Act::Register(at, who)),
        (at.clone(), licence).prop_map(|(at, licence)| Act::DefaultLicense(at, licence)),
        (at.clone(), any::<Option<bool>>(), any::<Option<bool>>()).prop_map(|(at, a, b)| Act::Settings(at, a, b)),
        (at.clone(), who, any::<bool>()).prop_map(|(at, who, on)| Act::Telephony(at, who, on)),
        (at.clone(), any::<bool>(), prop::collection::vec(0..3_u8, 1..3))
            .prop_map(|(at, join, groups)| Act::Groups(at, join, groups)),
        // The Team account, everybody out, and gone: else a deletion would be rare.
        Just(Act::Suspend(0, vec![0, 1, 2, 3, 4])),
        at.prop_map(Act::Delete),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_leaves_what_the_model_gives(acts in prop::collection::vec(act(), 0..40)) {
        let (mut service, mut model) = (core(3), start());
        for act in &acts {
            play(&mut service, act);
            expect(&mut model, act);
            prop_assert_eq!(&read(&mut service), &model, "after {:?}", act);
        }
    }
}
