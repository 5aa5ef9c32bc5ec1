//! Pages as no local Chime gives them: the same user in two slices, tokens that go in a circle, a page that is cut short.

use crate::stage::{NOW, TestHost};
use rollcall::audit::{Audit, Request, Summary};
use rollcall::directory::listing::{ListedAccount, ListedUser, Listing, PAGE, Settings, UserPage};
use rollcall::directory::{AccountId, AccountType, Invitation, Registration, UserId};
use rollcall::failure::Failure;
use rollcall::person::WorkEmail;
use rollcall::policy::Policy;
use rollcall::store::files::Files;

/// An account of these pages: the numbers of its users, and the token that each page is followed by.
struct Pages(Vec<(std::ops::Range<usize>, Option<&'static str>)>);

fn id() -> AccountId {
    AccountId::try_from("acc-1".to_owned()).unwrap()
}

fn user(number: usize) -> ListedUser {
    ListedUser {
        id: UserId::try_from(format!("u-{number}")).unwrap(),
        email: WorkEmail::parse(&format!("p{number}@x.example")).ok(),
        registration: Registration::Registered,
        invitation: Invitation::None,
        licence: Some("Pro".to_owned()),
        invited_on: None,
        registered_on: None,
        shared_device: false,
    }
}

impl Listing for Pages {
    async fn accounts(&self) -> Result<Vec<ListedAccount>, Failure> {
        let (name, kind, licences) = ("Acme".to_owned(), AccountType::Team, Vec::new());
        Ok(vec![ListedAccount { id: id(), name, kind, active: true, licences }])
    }

    async fn settings(&self, _account: &AccountId) -> Result<Settings, Failure> {
        Ok(Settings::default())
    }

    async fn users(&self, _account: &AccountId, token: Option<&str>) -> Result<UserPage, Failure> {
        let at = token.map_or(0, |token| token.parse::<usize>().unwrap());
        let (users, next) = self.0[at].clone();
        Ok(UserPage { users: users.map(user).collect(), next: next.map(str::to_owned) })
    }

    async fn accounts_with(&self, _email: &WorkEmail) -> Result<Vec<AccountId>, Failure> {
        Ok(Vec::new())
    }

    async fn user_with(&self, _account: &AccountId, _email: &WorkEmail) -> Result<Option<ListedUser>, Failure> {
        Ok(None)
    }
}

async fn run(name: &str, pages: Vec<(std::ops::Range<usize>, Option<&'static str>)>) -> Summary {
    let files = Files::new(std::env::temp_dir().join(format!("rollcall-pages-{}-{name}", std::process::id())));
    // One page a slice, so that nothing is compared within one.
    let audit = Audit { pages: 1, ..Audit::new(Pages(pages), files.clone(), TestHost::default()) };
    let (run, at) = (name.to_owned(), NOW.parse().unwrap());
    let request = Request { run, at, mode: None, roster: None, usage: Vec::new() };
    let summary = audit.run(request, &Policy::default()).await.unwrap();
    std::fs::remove_dir_all(files.path("")).unwrap();
    summary
}

#[tokio::test]
async fn a_listing_is_believed_as_a_whole_or_not_at_all() {
    let (full, twice) = (0..PAGE, PAGE..2 * PAGE);
    let table = [
        ("good", vec![(full.clone(), Some("1")), (twice.clone(), Some("2")), (400..401, None)], None),
        ("empty", vec![(0..0, None)], None),
        ("full", vec![(full.clone(), Some("1")), (0..0, None)], None),
        (
            "one-user-twice",
            vec![(full.clone(), Some("1")), (twice.clone(), Some("2")), (7..8, None)],
            Some("a page or a user came twice"),
        ),
        (
            "in-a-circle",
            vec![(full.clone(), Some("1")), (twice.clone(), Some("2")), (400..600, Some("1"))],
            Some("a page or a user came twice"),
        ),
        ("cut-short", vec![(0..PAGE - 1, Some("1")), (twice, None)], Some("a page was cut short")),
    ];
    for (name, pages, expected) in table {
        let summary = run(name, pages).await;
        assert_eq!(summary.accounts[0].incomplete.as_deref(), expected, "{name}");
        assert_eq!(summary.population().is_some(), expected.is_none(), "{name}");
    }
}
