//! Looking people up in as few calls as there are: by address, or by the account's pages where those are fewer.
//!
//! Everything here fails closed. *Invariant*: nobody is called absent on the word of a listing that did not come to its
//! end in one page, since a list that changes between two pages may skip somebody.

use super::answers::{meaning, read_failure, unreadable};
use super::{Chime, Pages, account};
use crate::directory::{
    Account, AccountId, Deadline, Found, Invitation, Registration, Sought, User, UserId, out_of_time,
};
use crate::failure::{Cause, Failure, ServiceError};
use crate::host::Host;
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, HashMap};

/// How many look-ups are under way at once. Chime's limits are unpublished: stay polite.
const AT_ONCE: usize = 4;

/// Users of one page. Source: the service model (`MaxResults`, 200 at most).
const PAGE: i32 = 200;

/// From so many people sought in an account of unknown size, its pages are tried first.
const WORTH_A_PROBE: usize = 8;

/// A person to look for, by position in the answer, and the address or the id.
type Position<'a> = (usize, &'a str);

impl<H: Host> Chime<H> {
    pub(super) async fn look_up_all(&self, sought: &[Sought], deadline: Deadline) -> Vec<Result<Found, Failure>> {
        let mut found: Vec<Option<Result<Found, Failure>>> = vec![None; sought.len()];
        self.remembered(sought, &mut found, deadline).await;
        let mut groups: BTreeMap<AccountId, Vec<Position<'_>>> = BTreeMap::new();
        let mut anywhere = Vec::new();
        for (index, sought) in sought.iter().enumerate() {
            if found[index].is_some() {
                continue;
            }
            match (&sought.email, &sought.account) {
                (Some(email), Some(account)) => {
                    groups.entry(account.clone()).or_default().push((index, email.as_ref()))
                }
                (Some(email), None) => anywhere.push((index, email.as_ref())),
                // The remembered user is gone, and there is nothing else to look for.
                (None, _) => {
                    let account = sought.user.as_ref().map(|(account, _)| account.clone());
                    found[index] = Some(Ok(Found::Nobody { account }));
                }
            }
        }
        for ((index, email), accounts) in
            self.each(&anywhere, deadline, |email| self.accounts_of(email, deadline)).await
        {
            match accounts.as_deref() {
                Ok([]) => found[index] = Some(Ok(Found::Nobody { account: None })),
                Ok([one]) => groups.entry(one.clone()).or_default().push((index, email)),
                Ok(_) => found[index] = Some(Ok(Found::SeveralAccounts)),
                Err(failure) => found[index] = Some(Err(failure.clone())),
            }
        }
        for (account, people) in groups {
            for (index, answer) in self.in_account(&account, &people, deadline).await {
                found[index] = Some(answer);
            }
        }
        found
            .into_iter()
            .map(|found| found.unwrap_or_else(|| Err(Failure::retryable(Cause::IncompleteListing))))
            .collect()
    }

    /// Looks up the users that are remembered, by their ids. Those that are gone stay open.
    async fn remembered(&self, sought: &[Sought], found: &mut [Option<Result<Found, Failure>>], deadline: Deadline) {
        let mut groups: BTreeMap<AccountId, (&Account, Vec<Position<'_>>)> = BTreeMap::new();
        for (index, sought) in sought.iter().enumerate() {
            if let Some((account, user)) = &sought.user {
                let group = groups.entry(account.id.clone()).or_insert_with(|| (account, Vec::new()));
                group.1.push((index, user.as_ref()));
            }
        }
        for (id, (account, mut people)) in groups {
            let somebody = |user: User| Found::Somebody { account: account.clone(), user };
            if let Some(most) = self.worth_listing(&id, people.len()) {
                match self.list(&id, most, deadline).await {
                    Ok(listing) => people.retain(|(index, user)| {
                        let listed = listing.users.values().find(|listed| listed.id.as_ref() == *user);
                        found[*index] = listed.map(|user| Ok(somebody(user.clone())));
                        listed.is_none()
                    }),
                    Err(failure) => {
                        people.iter().for_each(|(index, _)| found[*index] = Some(Err(failure.clone())));
                        continue;
                    }
                }
            }
            for ((index, _), user) in self.each(&people, deadline, |user| self.by_id(&id, user)).await {
                found[index] = user.transpose().map(|user| user.map(somebody));
            }
        }
    }

    /// The user with an id; `None` where it is gone. The answer holds the PIN, which is dropped unread.
    async fn by_id(&self, account: &AccountId, id: &str) -> Result<Option<User>, Failure> {
        match self.client.get_user().account_id(account.as_ref()).user_id(id).send().await {
            Ok(answer) => user(answer.user.as_ref().ok_or_else(|| unreadable("GetUser"))?).map(Some),
            Err(error) => match meaning(&error) {
                ServiceError::NotFound => Ok(None),
                ServiceError::Throttled | ServiceError::Unknown | ServiceError::Refused => Err(read_failure(&error)),
            },
        }
    }

    /// Makes one look-up for each person, a few at once.
    async fn each<'a, T, F>(
        &self,
        people: &[Position<'a>],
        deadline: Deadline,
        look: impl Fn(&'a str) -> F,
    ) -> Vec<(Position<'a>, Result<T, Failure>)>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        stream::iter(people.iter().copied())
            .map(|person| {
                let look = look(person.1);
                async move {
                    let in_time = deadline.allows(self.host.now(), 1);
                    (person, if in_time { look.await } else { Err(out_of_time()) })
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    /// The accounts that have a user with this address.
    async fn accounts_of(&self, email: &str, deadline: Deadline) -> Result<Vec<AccountId>, Failure> {
        let mut accounts = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self.client.list_accounts().user_email(email).set_next_token(token.clone());
            let page = request.send().await.or_else(|error| match meaning(&error) {
                // The list of errors allows "no such user" to be a 404 as well.
                ServiceError::NotFound => {
                    Ok(aws_sdk_chime::operation::list_accounts::ListAccountsOutput::builder().build())
                }
                ServiceError::Throttled | ServiceError::Unknown | ServiceError::Refused => Err(read_failure(&error)),
            })?;
            for listed in page.accounts() {
                let (account, state) = account(listed).ok_or_else(|| unreadable("ListAccounts"))?;
                self.known().accounts.insert(account.id.clone(), (state, self.host.now()));
                accounts.push(account.id);
            }
            token = next(token.as_deref(), page.next_token)?;
            if token.is_none() {
                return Ok(accounts);
            }
            if !deadline.allows(self.host.now(), 1) {
                return Err(out_of_time());
            }
        }
    }

    /// Looks for people in one account.
    async fn in_account(
        &self,
        id: &AccountId,
        people: &[Position<'_>],
        deadline: Deadline,
    ) -> Vec<(usize, Result<Found, Failure>)> {
        let all = |answer: Result<Found, Failure>| people.iter().map(|(index, _)| (*index, answer.clone())).collect();
        if self.known_state(id).is_none() && !deadline.allows(self.host.now(), 1) {
            return all(Err(out_of_time()));
        }
        let account = match self.state_of(id).await {
            Ok(Some(state)) => Account { id: id.clone(), kind: state.kind },
            Ok(None) => return all(Ok(Found::UnknownAccount)),
            Err(failure) => return all(Err(failure)),
        };
        let somebody = |user: User| Found::Somebody { account: account.clone(), user };
        let nobody = || Found::Nobody { account: Some(account.clone()) };
        let mut answers = Vec::new();
        let mut left = people.to_vec();
        if let Some(most) = self.worth_listing(id, people.len()) {
            match self.list(id, most, deadline).await {
                Ok(listing) => left.retain(|(index, email)| match listing.users.get(*email) {
                    Some(user) => {
                        answers.push((*index, Ok(somebody(user.clone()))));
                        false
                    }
                    None if listing.complete => {
                        answers.push((*index, Ok(nobody())));
                        false
                    }
                    None => true,
                }),
                Err(failure) => return all(Err(failure)),
            }
        }
        for ((index, _), user) in self.each(&left, deadline, |email| self.by_address(id, email)).await {
            answers.push((index, user.map(|user| user.map_or_else(nobody, somebody))));
        }
        answers
    }

    /// How many pages to read at most before looking people up one by one; `None`: none at all.
    fn worth_listing(&self, account: &AccountId, people: usize) -> Option<usize> {
        match self.known().pages.get(account) {
            Some(Pages::Exactly(pages)) => (*pages < people).then_some(*pages),
            Some(Pages::MoreThan(pages)) => (*pages < people / 4).then_some(people / 4),
            None => (people >= WORTH_A_PROBE).then_some(people / 4),
        }
    }

    /// Reads up to `most` pages of an account.
    async fn list(&self, account: &AccountId, most: usize, deadline: Deadline) -> Result<Listing, Failure> {
        let mut listing = Listing { users: HashMap::new(), complete: false };
        let mut token: Option<String> = None;
        for page_number in 1..=most {
            if !deadline.allows(self.host.now(), 1) {
                return Err(out_of_time());
            }
            let request = self.client.list_users().account_id(account.as_ref()).max_results(PAGE);
            let page = request.set_next_token(token.clone()).send().await.map_err(|error| read_failure(&error))?;
            for listed in page.users() {
                if let Some(email) = &listed.primary_email {
                    listing.users.insert(email.to_lowercase(), user(listed)?);
                }
            }
            token = next(token.as_deref(), page.next_token)?;
            if token.is_none() {
                self.known().pages.insert(account.clone(), Pages::Exactly(page_number));
                // Only a single page is one moment's truth.
                listing.complete = page_number == 1;
                return Ok(listing);
            }
        }
        self.known().pages.insert(account.clone(), Pages::MoreThan(most));
        Ok(listing)
    }

    /// The user with an address, in one account.
    async fn by_address(&self, account: &AccountId, email: &str) -> Result<Option<User>, Failure> {
        let request = self.client.list_users().account_id(account.as_ref()).user_email(email);
        let page = request.send().await.map_err(|error| read_failure(&error))?;
        if page.next_token.as_deref().is_some_and(|token| !token.is_empty()) {
            // One address is one user at most: a second page means that the filter was not applied.
            return Err(unreadable("ListUsers"));
        }
        let same = |listed: &&aws_sdk_chime::types::User| {
            listed.primary_email.as_deref().is_some_and(|primary| primary.to_lowercase() == email)
        };
        match page.users().iter().find(same) {
            Some(listed) => user(listed).map(Some),
            None if page.users().is_empty() => Ok(None),
            // Somebody was found by another of the person's addresses, perhaps: that is not nobody.
            None => Err(unreadable("ListUsers")),
        }
    }
}

/// The users of the pages that were read, by address.
struct Listing {
    users: HashMap<String, User>,
    /// The pages were all there is, at one moment.
    complete: bool,
}

/// The token of the next page. One that comes back would list for ever.
pub(super) fn next(last: Option<&str>, token: Option<String>) -> Result<Option<String>, Failure> {
    match token.filter(|token| !token.is_empty()) {
        Some(token) if last == Some(token.as_str()) => Err(Failure::retryable(Cause::IncompleteListing)),
        token => Ok(token),
    }
}

pub(super) fn user(listed: &aws_sdk_chime::types::User) -> Result<User, Failure> {
    let id = UserId::try_from(listed.user_id.clone()).map_err(|_| unreadable("ListUsers"))?;
    let registration =
        match listed.user_registration_status.as_ref().map(aws_sdk_chime::types::RegistrationStatus::as_str) {
            Some("Registered") => Registration::Registered,
            Some("Suspended") => Registration::Suspended,
            Some("Unregistered") => Registration::Unregistered,
            Some(_) | None => Registration::Unknown,
        };
    let invitation = match listed.user_invitation_status.as_ref().map(aws_sdk_chime::types::InviteStatus::as_str) {
        Some("Pending") => Invitation::Pending,
        Some("Accepted") => Invitation::Accepted,
        Some("Failed") => Invitation::Failed,
        Some(_) | None => Invitation::None,
    };
    Ok(User {
        id,
        registration,
        invitation,
        licence: listed.license_type.as_ref().map(|licence| licence.as_str().to_owned()),
    })
}
