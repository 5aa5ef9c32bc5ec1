//! What the documentation leaves open, and what this service does about it: the only place where that is decided.
//!
//! The service's model, guides and samples do not say everything. Each member of [`Choices`] is one such question; its
//! first alternative is the default. They are set by `--choose name=value`, or at `/_local/choices` while it runs.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

macro_rules! choices {
    ($(
        $(#[$about:meta])*
        $name:ident: $Choice:ident {
            $(#[$first_about:meta])* $First:ident $(, $(#[$rest_about:meta])* $Rest:ident)* $(,)?
        }
    )*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(rename_all = "snake_case")]
            pub enum $Choice {
                $(#[$first_about])*
                #[default]
                $First,
                $($(#[$rest_about])* $Rest,)*
            }
        )*

        /// Every choice.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Choices {
            $($(#[$about])* pub $name: $Choice,)*
            /// Requests a second, over all operations; more are throttled. No rate of this API is documented.
            pub requests_per_second: Option<u32>,
            /// Support has ended: 403 to everything. What the service answers since then is not documented.
            pub after_end_of_support: bool,
        }

        /// The words that each choice may be, by name. The first is the default.
        pub const ALTERNATIVES: &[(&str, &[&str])] = &[
            $((stringify!($name), &[stringify!($First) $(, stringify!($Rest))*]),)*
        ];
    };
}

choices! {
    /// The region of the credential scope. With a custom endpoint, SDKs send the client's own.
    scope_region: ScopeRegion {
        /// Any.
        Any,
        /// Only us-east-1, where the service was.
        UsEast1,
    }
    /// A request that is not signed.
    unsigned: Unsigned {
        /// It is taken: curl may try the service.
        Accepted,
        /// It is refused, as a bad signature is.
        Refused,
    }
    /// A signature that is malformed, or meant for another service.
    bad_signature: BadSignature {
        /// 401.
        Unauthorized,
        /// 403.
        Forbidden,
    }
    /// The path prefix `/console` of SDKs of 2018 and 2019.
    console_prefix: ConsolePrefix {
        /// It is stripped.
        Accepted,
        /// It is no path of this API.
        Refused,
    }
    /// A `POST` without `Content-Length`: the Rust SDK sends none where there is no body.
    length_header: LengthHeader {
        /// It is taken.
        Optional,
        /// It is refused with 411.
        Required,
    }
    /// `%2F` in a label of the path.
    path_labels: PathLabels {
        /// A part of the label: the path is split, then decoded.
        SplitFirst,
        /// A separator: the path is decoded, then split.
        DecodeFirst,
    }
    /// An empty or blank label, as in `GET /accounts/`.
    blank_label: BlankLabel {
        /// 400.
        BadRequest,
        /// 404.
        NotFound,
    }
    /// A method, path or `operation` that is none of this API. It never falls through to another operation.
    unknown_request: UnknownRequest {
        /// 400.
        BadRequest,
        /// 404.
        NotFound,
    }
    /// The exception of a broken constraint. Both are 400.
    broken_constraint: BrokenConstraint {
        /// `BadRequestException`, which the model lists.
        BadRequestException,
        /// `ValidationException`, which the model does not list; it was seen on the same host.
        ValidationException,
    }
    /// The header `x-amzn-errortype`. Without it the Rust SDK cannot tell errors apart.
    error_header: ErrorHeader {
        /// It is sent.
        Sent,
        /// It is left out: for tests of clients.
        Omitted,
    }
    /// The word for throttling in `UserErrors`.
    throttled_entry: ThrottledEntry {
        /// `Throttled`, which old clients know.
        Throttled,
        /// `Throttling`, which the model has now, too.
        Throttling,
    }
    /// Members that AWS's samples show and the model does not have.
    sample_members: SampleMembers {
        /// They are left out.
        Hidden,
        /// They are sent: clients must take them.
        Shown,
    }
    /// A batch with an empty list.
    empty_batch: EmptyBatch {
        /// 200, and nothing is done.
        Accepted,
        /// 400.
        Refused,
    }
    /// An id or address that a list holds twice.
    repeated_ids: RepeatedIds {
        /// It is applied once.
        Once,
        /// 400 for the whole request.
        Refused,
    }
    /// The order of `UserErrors`.
    entry_order: EntryOrder {
        /// As in the request.
        Request,
        /// By id.
        ById,
    }
    /// `UserErrors` where there are none.
    no_user_errors: NoUserErrors {
        /// An empty list.
        EmptyList,
        /// The member is absent.
        Absent,
    }
    /// BatchSuspendUser and BatchUnsuspendUser on an account type that does not have them.
    batch_on_wrong_type: BatchOnWrongType {
        /// 200 with one entry `BadRequest` per id.
        Entries,
        /// 400 for the whole request.
        BadRequest,
    }
    /// An id that BatchUnsuspendUser does not know. Ids that are not suspended are ignored, that is documented.
    unsuspend_unknown: UnsuspendUnknown {
        /// An entry `NotFound`.
        NotFound,
        /// It is ignored.
        Ignored,
    }
    /// A user that BatchSuspendUser removed from a Team account.
    team_removal: TeamRemoval {
        /// It is gone: no listing shows it, and GetUser answers 404.
        Gone,
        /// It stays, as `Suspended`.
        KeptSuspended,
    }
    /// InviteUsers on an Enterprise account.
    invite_on_enterprise: InviteOnEnterprise {
        /// 400 for the whole request.
        BadRequest,
        /// 403 for the whole request.
        Forbidden,
    }
    /// InviteUsers with the address of somebody who is registered.
    invite_registered: InviteRegistered {
        /// An invite `Accepted` whose mail is `NotSent`; the user stays as it is.
        NotSent,
        /// 400 for the whole request.
        Refused,
    }
    /// LogoutUser and ResetPersonalPIN on a directory account.
    sessions_on_directory: SessionsOnDirectory {
        /// They work.
        Allowed,
        /// 400.
        Refused,
    }
    /// ResetPersonalPIN of a user who did not register yet.
    pin_of_unregistered: PinOfUnregistered {
        /// It makes one.
        Allowed,
        /// 400.
        Refused,
    }
    /// CreateUser of a `PrivateUser` on a Team account. With a validated domain it is refused, that was reported.
    private_user_on_team: PrivateUserOnTeam {
        /// It works.
        Allowed,
        /// 400.
        Refused,
    }
    /// How a user stands that CreateUser made.
    created_user: CreatedUser {
        /// Registered.
        Registered,
        /// Not registered yet.
        Unregistered,
    }
    /// A licence that is set on a directory account, where groups decide.
    licence_on_directory: LicenceOnDirectory {
        /// 400; an entry `BadRequest` in a batch.
        Refused,
        /// It works.
        Accepted,
    }
    /// UserType and AlexaForBusinessMetadata of UpdateUser: only licences can be updated.
    other_user_members: OtherUserMembers {
        /// They are ignored.
        Ignored,
        /// 400; an entry `BadRequest` in a batch.
        Refused,
    }
    /// What UpdateUser answers.
    update_user_answer: UpdateUserAnswer {
        /// The whole user.
        Full,
        /// Its id alone, as in a sample.
        IdOnly,
    }
    /// The filter `user-email`.
    email_filter: EmailFilter {
        /// Upper and lower case are one.
        IgnoreCase,
        /// They are not.
        Exact,
    }
    /// The filter `name`, a prefix.
    name_filter: NameFilter {
        /// Upper and lower case are one.
        IgnoreCase,
        /// They are not.
        Exact,
    }
    /// `name` and `user-email` together.
    both_filters: BothFilters {
        /// Both must hold.
        And,
        /// The address decides.
        EmailOnly,
    }
    /// ListAccounts with the address of nobody.
    accounts_of_nobody: AccountsOfNobody {
        /// An empty list.
        Empty,
        /// 404.
        NotFound,
    }
    /// An account that is not there, on any operation that names one.
    unknown_account: UnknownAccount {
        /// 404.
        NotFound,
        /// 403.
        Forbidden,
    }
    /// The id of nobody in BatchSuspendUser and BatchUpdateUser.
    unknown_id: UnknownId {
        /// An entry `NotFound`.
        Entry,
        /// It is ignored.
        Ignored,
    }
    /// A licence that the account does not support, in UpdateUser and BatchUpdateUser.
    unsupported_licence: UnsupportedLicence {
        /// 400; in a batch an entry `BadRequest`.
        Refused,
        /// It is set.
        Accepted,
    }
    /// A page token that is sent again.
    token_reuse: TokenReuse {
        /// 400.
        Refused,
        /// The page comes again.
        Accepted,
    }
    /// The page size where a token comes without `max-results`.
    token_page_size: TokenPageSize {
        /// That of the page before.
        Carried,
        /// 100.
        Default,
    }
    /// The order of listings.
    list_order: ListOrder {
        /// Oldest first.
        OldestFirst,
        /// Newest first.
        NewestFirst,
    }
    /// DeleteAccount of a Team account that has users.
    delete_with_users: DeleteWithUsers {
        /// 422.
        Refused,
        /// It works.
        Accepted,
    }
    /// DeleteAccount of an Enterprise account whose domains were not released.
    delete_with_domains: DeleteWithDomains {
        /// 422.
        Refused,
        /// It works.
        Accepted,
    }
    /// A deleted account: the service kept it for 90 days.
    deleted_account: DeletedAccount {
        /// It is gone.
        Gone,
        /// It stays, with the status `Suspended`.
        Suspended,
    }
    /// Settings that an update leaves out.
    absent_settings: AbsentSettings {
        /// They stay.
        Unchanged,
        /// They are reset.
        Reset,
    }
    /// Associating a sign-in delegate group twice, or taking away one that is not there.
    repeated_groups: RepeatedGroups {
        /// Nothing happens.
        Ignored,
        /// 400.
        Refused,
    }
    /// Sign-in delegate groups on another account than EnterpriseDirectory: they are Active Directory's.
    groups_elsewhere: GroupsElsewhere {
        /// 400.
        Refused,
        /// They work.
        Accepted,
    }
}

impl Choices {
    /// Makes one choice by its name and word, `true` and `false`, or a number.
    ///
    /// # Errors
    /// Where there is no such choice, or it has no such alternative; nothing changed.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let mut all = serde_json::to_value(&*self)?;
        let word = serde_json::from_str(value).unwrap_or_else(|_| value.replace('-', "_").into());
        match all.get_mut(name.replace('-', "_")) {
            Some(member) => *member = word,
            None => bail!("there is no choice {name}; GET /_local/choices names them"),
        }
        *self = serde_json::from_value(all).with_context(|| format!("{name} has no alternative {value}"))?;
        Ok(())
    }
}
