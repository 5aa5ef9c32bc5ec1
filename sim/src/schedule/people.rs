//! What people do at the directory's side: administrators in the console, and whom a mail invites.

use super::Schedule;
use crate::bounds::MS;
use crate::story::{Bounce, ConsoleAct};
use crate::timeline::Happening;
use crate::worker::millis;
use rollcall_local::chime::http::Response;
use rollcall_local::chime::state::{Moment, Registration};
use serde_json::json;

impl Schedule<'_> {
    /// An administrator does something to a user; not while anything is under way.
    pub(super) fn console(&mut self, index: usize) {
        let Some(act) = self.story.console.get(index) else { return };
        let Some(person) = self.story.people.get(act.person) else { return };
        let Some(home) = self.story.accounts.get(person.home) else { return };
        let Some(account) = self.directory.account_mut(&home.id) else { return };
        let Some(id) = account.by_email(&person.email).map(|user| user.user_id.clone()) else { return };
        if self.watch.owner(&id) != Some(act.person) {
            return;
        }
        match &act.what {
            ConsoleAct::Anew => {
                // Whose access was taken stays as it is.
                let blocked =
                    account.user(&id).is_some_and(|user| user.user_registration_status == Registration::Suspended);
                if blocked || !self.tasks.is_empty() || !self.calls.is_empty() {
                    return;
                }
                let Some(mut user) = account.remove(&id) else { return };
                user.user_id = format!("{id}-anew");
                account.add(user);
                self.watch.owns(&format!("{id}-anew"), act.person);
                self.note(|_| format!("console    makes the user of p{} anew, as {id}-anew", act.person));
            }
            ConsoleAct::Rename(email) => {
                let Some(mut user) = account.remove(&id) else { return };
                user.primary_email = Some(email.clone());
                account.add(user);
                self.note(|_| format!("console    gives the user of p{} the address {email}", act.person));
            }
        }
    }

    /// Invitations were sent: their mails arrive, or bounce at once, or later.
    pub(super) fn invited(&mut self, account: &str, invited: &[(String, usize)], response: &mut Response) {
        for (email, person) in invited {
            let Some(user) = self.directory.user_id_of(account, email) else { continue };
            self.watch.owns(&user, *person);
            let Some(someone) = self.story.people.get(*person) else { continue };
            match someone.bounce {
                Bounce::AtOnce => {
                    let _bounced = self.directory.bounce(account, &user);
                    let invites = response.body.as_mut().and_then(|body| body["Invites"].as_array_mut());
                    for invite in invites.into_iter().flatten().filter(|invite| invite["EmailAddress"] == json!(email))
                    {
                        invite["Status"] = json!("Failed");
                        invite["EmailStatus"] = json!("Failed");
                    }
                }
                Bounce::Later(after) | Bounce::Never(after) => {
                    self.timeline.after(after, Happening::Mail(account.to_owned(), user));
                }
            }
        }
    }

    /// A mail reached its person, who accepts; or it comes back.
    pub(super) fn mail(&mut self, account: &str, user: &str) {
        let now = Moment::from_millis(millis(self.timeline.now()));
        self.directory.clock_mut().tick(now);
        let person = self.watch.owner(user);
        let Some(someone) = person.and_then(|person| self.story.people.get(person)) else { return };
        let done = match someone.bounce {
            Bounce::Never(_) => self.directory.accept(account, user, None).map(|()| "accepts the invitation"),
            Bounce::AtOnce | Bounce::Later(_) => self.directory.bounce(account, user).map(|()| "cannot be reached"),
        };
        if let (Ok(told), Some(person)) = (done, person) {
            self.watch.has_mail(person, self.timeline.now());
            self.note(|_| format!("person     p{person} {told}"));
        }
    }

    /// How long Lambda's poller gathers messages.
    pub(super) fn window(&mut self) -> i64 {
        i64::try_from(self.ways.below(2_000)).unwrap_or(0) * MS
    }
}
