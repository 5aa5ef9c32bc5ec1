//! Amazon Chime behind the directory port. The only file that names `aws_sdk_chime`.

mod answers;
mod listing;
mod look_up;

use super::{
    Account, AccountId, AccountState, AccountType, Acted, Answer, CALL_TIMEOUT, Change, Code, Deadline, Directory,
    Found, Licence, RequestId, Sent, Sought, UserId, out_of_time,
};
use crate::failure::{Failure, ServiceError};
use crate::host::Host;
use crate::person::WorkEmail;
use answers::{meaning, per_address, per_user, read_failure, unreadable, whole};
use aws_config::SdkConfig;
use aws_sdk_chime::Client;
use aws_sdk_chime::config::retry::{RetryConfig, RetryMode};
use aws_sdk_chime::config::timeout::TimeoutConfig;
use aws_sdk_chime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_chime::operation::RequestId as _;
use aws_sdk_chime::types::{License, UpdateUserRequestItem};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::retry::ErrorKind;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::Duration;

/// The longest that one attempt of a call may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(3500);

/// How often one call is sent.
const ATTEMPTS: u32 = 3;

/// The wait before the second attempt, at most.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);

/// The longest wait between two attempts of a call.
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// How long an account is taken for known. Its type changes only when somebody claims or releases a domain.
const ACCOUNT_KNOWN_FOR: SignedDuration = SignedDuration::from_mins(15);

/// The Chime adapter. Remembers accounts and how large they are, nothing of their people.
#[derive(Debug)]
pub struct Chime<H> {
    client: Client,
    host: H,
    // Never held across an await: a plain mutex is enough.
    known: Mutex<Known>,
}

/// What the adapter learnt of accounts.
#[derive(Debug, Default)]
struct Known {
    accounts: HashMap<AccountId, (AccountState, Timestamp)>,
    pages: HashMap<AccountId, Pages>,
}

/// How many pages of users an account has.
#[derive(Clone, Copy, Debug)]
enum Pages {
    /// So many, when it was last listed to its end.
    Exactly(usize),
    /// At least so many more than were read.
    MoreThan(usize),
}

impl<H: Host> Chime<H> {
    /// An adapter with timeouts and retries as the road needs them.
    pub fn new(config: &SdkConfig, host: H) -> Chime<H> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT)
            .build();
        let retries = RetryConfig::standard()
            .with_retry_mode(RetryMode::Standard)
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(FIRST_BACKOFF)
            .with_max_backoff(LONGEST_BACKOFF);
        let config = aws_sdk_chime::config::Builder::from(config)
            .timeout_config(timeouts)
            .retry_config(retries)
            .retry_classifier(Throttled)
            .build();
        Chime { client: Client::from_conf(config), host, known: Mutex::default() }
    }

    /// Opens the connection before the first event needs it, and learns the accounts that the policy names.
    pub async fn warm_up(&self, accounts: &BTreeSet<AccountId>) {
        for account in accounts {
            let _known = self.state_of(account).await;
        }
        if accounts.is_empty() {
            let _answer = self.client.list_accounts().max_results(1).send().await;
        }
    }

    /// An account, where it was learnt lately.
    fn known_state(&self, account: &AccountId) -> Option<AccountState> {
        let now = self.host.now();
        let (state, since) = self.known().accounts.get(account).cloned()?;
        (now.duration_since(since) < ACCOUNT_KNOWN_FOR).then_some(state)
    }

    /// An account; `None` where the directory does not have it.
    async fn state_of(&self, account: &AccountId) -> Result<Option<AccountState>, Failure> {
        if let Some(state) = self.known_state(account) {
            return Ok(Some(state));
        }
        match self.client.get_account().account_id(account.as_ref()).send().await {
            Ok(answer) => {
                let state = answer.account.as_ref().and_then(account_state);
                let state = state.ok_or_else(|| unreadable("GetAccount"))?;
                self.known().accounts.insert(account.clone(), (state.clone(), self.host.now()));
                Ok(Some(state))
            }
            Err(error) => match meaning(&error) {
                ServiceError::NotFound => Ok(None),
                ServiceError::Throttled | ServiceError::Unknown | ServiceError::Refused => Err(read_failure(&error)),
            },
        }
    }

    /// Suspends; on a Team account the same call removes.
    async fn suspend(&self, account: &AccountId, users: &[UserId]) -> Reply {
        let request = self.client.batch_suspend_user().account_id(account.as_ref()).set_user_id_list(Some(ids(users)));
        let answer = request.customize().config_override(once()).send().await;
        Reply::of(answer, |answer| per_user(users, answer.user_errors.unwrap_or_default()))
    }

    async fn unsuspend(&self, account: &AccountId, users: &[UserId]) -> Reply {
        let request = self.client.batch_unsuspend_user().account_id(account.as_ref());
        let request = request.set_user_id_list(Some(ids(users)));
        let answer = request.customize().config_override(once()).send().await;
        Reply::of(answer, |answer| per_user(users, answer.user_errors.unwrap_or_default()))
    }

    async fn set_licences(&self, account: &AccountId, wanted: &[(UserId, Licence)]) -> Reply {
        let mut request = self.client.batch_update_user().account_id(account.as_ref());
        for (user, licence) in wanted {
            let item = UpdateUserRequestItem::builder().user_id(user.as_ref());
            match item.license_type(License::from(licence.as_str())).build() {
                Ok(item) => request = request.update_user_request_items(item),
                // An id and a licence always build; if they do not, the request never leaves.
                Err(_) => return Reply::unsent(Answer::Refused(Code::new("Unbuilt"))),
            }
        }
        let answer = request.customize().config_override(once()).send().await;
        let users: Vec<UserId> = wanted.iter().map(|(user, _)| user.clone()).collect();
        Reply::of(answer, |answer| per_user(&users, answer.user_errors.unwrap_or_default()))
    }

    /// Invites, and sends once: each send is a mail. A look-up came before on this connection, so that it is no new one
    /// whose request may be sent twice.
    async fn invite(&self, account: &AccountId, addresses: &[WorkEmail]) -> Reply {
        let emails = addresses.iter().map(|address| address.as_ref().to_owned()).collect();
        let request = self.client.invite_users().account_id(account.as_ref()).set_user_email_list(Some(emails));
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).operation_timeout(CALL_TIMEOUT);
        // The only attempt has the whole call's time: fifty mails may take a while, and not to know costs a quarter of an hour.
        let once = once().timeout_config(timeouts.build());
        let answer = request.customize().config_override(once).send().await;
        let reply = Reply::of(answer, |answer| per_address(addresses, &answer.invites.unwrap_or_default()));
        reply.map_whole(|whole| match whole {
            // Nobody is not there who shall be invited: the account is.
            Answer::NotFound => Answer::Refused(Code::new("NotFoundException")),
            answer @ (Answer::Confirmed
            | Answer::Bounced
            | Answer::Throttled
            | Answer::Unknown
            | Answer::Refused(_)
            | Answer::Repeated(_)) => answer,
        })
    }

    /// Removes from a Team account: `NotFound` after a send without an answer means removed.
    async fn remove(&self, account: &AccountId, users: &[UserId]) -> Called {
        let mut called = self.until_answered(async || self.suspend(account, users).await).await;
        let gone = |answer: &Answer| matches!(answer, Answer::NotFound | Answer::Confirmed);
        let removed = |answer| match answer {
            Answer::Repeated(answer) if gone(&answer) => Answer::Confirmed,
            answer @ (Answer::Repeated(_)
            | Answer::Confirmed
            | Answer::Bounced
            | Answer::Throttled
            | Answer::Unknown
            | Answer::NotFound
            | Answer::Refused(_)) => answer,
        };
        called.answers = called.answers.map(|answers| answers.into_iter().map(removed).collect());
        called
    }

    /// Sends one request, and takes its time.
    async fn timed(&self, request: impl Future<Output = Reply>) -> (Result<Vec<Answer>, Answer>, Sent) {
        let began = self.host.now();
        let reply = request.await;
        let took = self.host.now().duration_since(began).as_millis();
        let took = u32::try_from(took).unwrap_or(if took < 0 { 0 } else { u32::MAX });
        (reply.answers, Sent { at: began.as_millisecond(), took, request: reply.request })
    }

    /// Sends once.
    async fn sent(&self, request: impl Future<Output = Reply>) -> Called {
        let (answers, sent) = self.timed(request).await;
        Called { answers, sent: vec![sent] }
    }

    /// Sends what sets a state, and sends it again where no answer came.
    ///
    /// The SDK's own retries would hide that there was a send without an answer, which may still take effect.
    async fn until_answered(&self, send: impl AsyncFn() -> Reply) -> Called {
        let began = self.host.now();
        let (mut unanswered, mut backoff, mut sent) = (false, FIRST_BACKOFF, Vec::new());
        for attempt in 1..=ATTEMPTS {
            let (answers, request) = self.timed(send()).await;
            sent.push(request);
            let failed = match answers {
                Ok(answers) if unanswered => {
                    let repeated = answers.into_iter().map(|answer| Answer::Repeated(Box::new(answer))).collect();
                    return Called { answers: Ok(repeated), sent };
                }
                Ok(answers) => return Called { answers: Ok(answers), sent },
                Err(failed) => failed,
            };
            unanswered |= failed == Answer::Unknown;
            let passing = matches!(failed, Answer::Unknown | Answer::Throttled);
            let spent = Duration::try_from(self.host.now().duration_since(began)).unwrap_or_default();
            if !passing || attempt == ATTEMPTS || spent + backoff + ATTEMPT_TIMEOUT > CALL_TIMEOUT {
                // A last try that was throttled does not undo one that got no answer.
                return Called { answers: Err(if unanswered { Answer::Unknown } else { failed }), sent };
            }
            self.host.sleep(self.host.jitter(backoff)).await;
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
        Called { answers: Err(Answer::Unknown), sent }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl<H: Host> Directory for Chime<H> {
    async fn look_up(&self, sought: &[Sought], deadline: Deadline) -> Vec<Result<Found, Failure>> {
        self.look_up_all(sought, deadline).await
    }

    async fn account(&self, account: &AccountId, deadline: Deadline) -> Result<Option<AccountState>, Failure> {
        if self.known_state(account).is_none() && !deadline.allows(self.host.now(), 1) {
            return Err(out_of_time());
        }
        self.state_of(account).await
    }

    async fn act(&self, account: &AccountId, change: &Change) -> Acted {
        let called = match change {
            Change::Invite(addresses) => self.sent(self.invite(account, addresses)).await,
            Change::Unsuspend(users) => self.until_answered(async || self.unsuspend(account, users).await).await,
            Change::SetLicence(wanted) => self.until_answered(async || self.set_licences(account, wanted).await).await,
            Change::Suspend(users) => self.until_answered(async || self.suspend(account, users).await).await,
            Change::Remove(users) => self.remove(account, users).await,
            Change::Logout(user) => {
                let request = self.client.logout_user().account_id(account.as_ref()).user_id(user.as_ref());
                self.sent(async { Reply::of(request.send().await, |_| vec![Answer::Confirmed]) }).await
            }
            Change::ResetPin(user) => {
                let request = self.client.reset_personal_pin().account_id(account.as_ref()).user_id(user.as_ref());
                // Each send makes another PIN: whether to send again is the plan's business, not the SDK's.
                let request = request.customize().config_override(once());
                // The answer holds the new PIN. It is dropped unread.
                self.sent(async { Reply::of(request.send().await, |_| vec![Answer::Confirmed]) }).await
            }
        };
        let answers = called.answers.unwrap_or_else(|whole| vec![whole; change.len()]);
        Acted { answers, sent: called.sent }
    }
}

/// What came of one request: an answer for each person, or one for the request as a whole; and its id.
struct Reply {
    answers: Result<Vec<Answer>, Answer>,
    request: Option<RequestId>,
}

/// What came of a call, and of each of its requests.
struct Called {
    answers: Result<Vec<Answer>, Answer>,
    sent: Vec<Sent>,
}

impl Reply {
    fn of<T, E>(answer: Result<T, SdkError<E, HttpResponse>>, read: impl FnOnce(T) -> Vec<Answer>) -> Reply
    where
        T: aws_sdk_chime::operation::RequestId,
        E: ProvideErrorMetadata,
    {
        let id = match &answer {
            Ok(answer) => answer.request_id(),
            Err(error) => error.request_id(),
        };
        let request = id.map(RequestId::new);
        Reply { answers: answer.map(read).map_err(|error| whole(&error)), request }
    }

    fn unsent(whole: Answer) -> Reply {
        Reply { answers: Err(whole), request: None }
    }

    fn map_whole(self, meaning: impl FnOnce(Answer) -> Answer) -> Reply {
        Reply { answers: self.answers.map_err(meaning), ..self }
    }
}

/// One send, without the SDK's own retries.
fn once() -> aws_sdk_chime::config::Builder {
    aws_sdk_chime::config::Config::builder().retry_config(RetryConfig::disabled())
}

fn ids(users: &[UserId]) -> Vec<String> {
    users.iter().map(|user| user.as_ref().to_owned()).collect()
}

/// The SDK's standard mode does not retry Chime's own throttling error: say that it may.
#[derive(Debug)]
pub struct Throttled;

impl ClassifyRetry for Throttled {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let header = context.response().and_then(|response| response.headers().get("x-amzn-errortype"));
        let named = header.is_some_and(|name| name.split(':').next() == Some("ThrottledClientException"));
        let status = context.response().is_some_and(|response| response.status().as_u16() == 429);
        if named || status {
            RetryAction::retryable_error(ErrorKind::ThrottlingError)
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "Chime throttling"
    }
}

fn account_type(name: &str) -> Option<AccountType> {
    match name {
        "Team" => Some(AccountType::Team),
        "EnterpriseLWA" => Some(AccountType::EnterpriseLwa),
        "EnterpriseDirectory" => Some(AccountType::EnterpriseDirectory),
        "EnterpriseOIDC" => Some(AccountType::EnterpriseOidc),
        _ => None,
    }
}

/// How an account stands, as an answer tells it.
fn account_state(account: &aws_sdk_chime::types::Account) -> Option<AccountState> {
    let kind = account_type(account.account_type.as_ref()?.as_str())?;
    // An account that does not tell its status is in use.
    let active = account.account_status != Some(aws_sdk_chime::types::AccountStatus::Suspended);
    let licences = account.supported_licenses().iter().map(|licence| licence.as_str().to_owned()).collect();
    Some(AccountState { kind, active, licences })
}

/// An account from a listing.
fn account(listed: &aws_sdk_chime::types::Account) -> Option<(Account, AccountState)> {
    let id = AccountId::try_from(listed.account_id.clone()).ok()?;
    let state = account_state(listed)?;
    Some((Account { id, kind: state.kind }, state))
}
