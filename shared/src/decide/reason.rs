//! Why an event ended as it did: one word for machines, one sentence for people.

use serde::{Deserialize, Serialize};

/// Why an event ended as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Blocked in the directory and signed out.
    Suspended,
    /// Removed from the Team account; the person stays a free user of Chime.
    RemovedFromTeam,
    /// Signed out; only the company's directory can block the login.
    DirectoryManaged,
    /// Signed out everywhere, and the meeting PIN replaced.
    SignedOut,
    /// The user was suspended already.
    AlreadySuspended,
    /// Invited into the Team account.
    Invited,
    /// Invited again into the Team account that the person was removed from.
    Reinvited,
    /// Unblocked, and the licence given back.
    Reinstated,
    /// The same; the PIN that was replaced cannot be given back.
    ReinstatedNewPin,
    /// The licence was set.
    LicenceSet,
    /// The invitation is under way already.
    AlreadyInvited,
    /// The user has access already.
    AlreadyRegistered,
    /// Whoever has an address of the account's domain joins by itself.
    JoinsByDomain,
    /// The company's directory makes and removes the account's users.
    ManagedByDirectory,
    /// The licence was set already.
    LicenceAlready,
    /// The licence is kept until the person has access, or has registered.
    LicenceKept,
    /// The policy chooses no licences.
    NoLicencePolicy,
    /// No fact tells the job, or no rule fits it: the policy has nothing to choose.
    JobUnknown,
    /// A later fact decides the licence.
    OtherLicenceFact,
    /// Another fact says that no access is due.
    AccessNotDue,
    /// Nothing was taken from this person that could be given back.
    NothingTaken,
    /// The address is tied to the person.
    IdentityRecorded,
    /// The mail of the invitation could not be delivered.
    InvitationFailed,
    /// Two invitations had no answer, and the directory shows nobody.
    InvitationUnknown,
    /// The directory's user with this address is another person's.
    AddressReused,
    /// Nobody has this address, and the person had another before.
    FormerAddress,
    /// Nobody in the directory has this identity.
    UserNotFound,
    /// The fact is kept; nothing has to be done for it here.
    FactRecorded,
    /// It was due, and was published as effective.
    Published,
    /// What a sender told asks for nothing.
    NothingTold,
    /// A roster that is newer says that the person stays.
    RosterDisagrees,
    /// Another fact says that access is due.
    AccessDue,
    /// A newer assertion of the same fact decides.
    NewerAssertion,
    /// No fact takes access away now.
    NothingDue,
    /// Date, zone and basis do not give an instant.
    Undatable,
    /// The event says itself that it lacks a fact that is needed.
    MissingFacts,
    /// The user is not known, and there is no address to look for.
    NoAddress,
    /// The policy protects this person.
    Protected,
    /// The policy protects patterns of addresses, and the event carries none.
    ProtectionUnknown,
    /// Too few of a group would keep their access.
    GroupMinimum,
    /// More changes than the brake allows, or it has latched.
    MassChange,
    /// The function only observes.
    ObserveMode,
    /// An operator rejected the event.
    Rejected,
}

impl Reason {
    /// A sentence for people.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Reason::Suspended => "suspended: signed out everywhere and blocked",
            Reason::RemovedFromTeam => "removed from the Team account; the person stays a free user of Chime",
            Reason::DirectoryManaged => {
                "signed out; the login is managed by the company's directory, which must block it"
            }
            Reason::SignedOut => "signed out everywhere, and the meeting PIN replaced; nothing else was changed",
            Reason::AlreadySuspended => "the user was suspended already",
            Reason::Invited => "invited; the policy's licence is set once the person has registered",
            Reason::Reinvited => {
                "invited again; the licence of before is set once the person has registered, and the former user id, \
                 meeting PIN and chats cannot be restored"
            }
            Reason::Reinstated => "unsuspended: may sign in again, with the licence of before",
            Reason::ReinstatedNewPin => {
                "unsuspended: may sign in again, with the licence of before; the meeting PIN was replaced and cannot be \
                 restored"
            }
            Reason::LicenceSet => "the licence was set",
            Reason::AlreadyInvited => "the invitation is under way already",
            Reason::AlreadyRegistered => "the user has access already",
            Reason::JoinsByDomain => "nothing to do: whoever has an address of the account's domain joins by itself",
            Reason::ManagedByDirectory => {
                "nothing to do: the company's directory makes and removes this account's users"
            }
            Reason::LicenceAlready => "the user has this licence already",
            Reason::LicenceKept => "the licence is kept, and set once the person has access and has registered",
            Reason::NoLicencePolicy => "the policy chooses no licences (policy.licences)",
            Reason::JobUnknown => {
                "no fact tells the job, or no rule of policy.licences fits it: the licence stays as it is"
            }
            Reason::OtherLicenceFact => "a later fact decides the licence",
            Reason::AccessNotDue => "another fact says that no access is due",
            Reason::NothingTaken => "nothing was taken from this person that could be given back",
            Reason::IdentityRecorded => "the address is tied to the person; the directory keeps its own",
            Reason::InvitationFailed => {
                "the mail of the invitation could not be delivered: release to send it again, or reject and send an event with the right address"
            }
            Reason::InvitationUnknown => {
                "two invitations had no answer, and the directory shows nobody: look there, then release to invite again"
            }
            Reason::FormerAddress => {
                "nobody in the directory has this address, and the person had another before, by which the directory may \
                 know them: look there, then release, or reject"
            }
            Reason::AddressReused => {
                "the directory's user with this address is another person's, who had the address before: release to treat \
                 it as this person's, or reject"
            }
            Reason::UserNotFound => "nobody in the directory has this identity",
            Reason::FactRecorded => "the fact is kept; nothing to do for it here",
            Reason::Published => "published on the bus for the function that acts on it",
            Reason::NothingTold => "what the sender told asks for nothing",
            Reason::RosterDisagrees => {
                "a roster that is newer than the announcement says that the person stays: release to let it act all the \
                 same, or reject"
            }
            Reason::AccessDue => "another fact says that access is due",
            Reason::NewerAssertion => "a newer assertion of the same fact decides",
            Reason::NothingDue => "no fact takes access away now",
            Reason::Undatable => "effective.date, zone and basis do not give an instant",
            Reason::MissingFacts => "the event lacks a fact that a destructive action needs (detail.missing)",
            Reason::NoAddress => "the user is not known yet and detail.subject.email is not there to look for",
            Reason::Protected => "policy.protected names this person",
            Reason::ProtectionUnknown => {
                "policy.protected has patterns of addresses, and the event carries no address to compare"
            }
            Reason::GroupMinimum => "fewer of a group of policy.protected would keep their access than must",
            Reason::MassChange => "the mass-change brake holds it: over a limit of policy.brake, or latched since",
            Reason::ObserveMode => "observe mode: the steps are recorded, and none was carried out",
            Reason::Rejected => "an operator rejected the event; its fact is void",
        }
    }
}
