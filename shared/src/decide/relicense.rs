//! relicense-user: sets the licence that the policy gives to a job.

use super::licence::{self, Due};
use super::{
    Case, Concluded, Conclusion, Decision, Known, Reason, conclude, give, lacks_facts, overruled, several_accounts,
    unknown_account,
};
use crate::directory::{Account, AccountType, Found, Licence, Registration, UserId};
use crate::event::{Kind, Missing, Phase};
use crate::failure::{Refusal, RefusalCode};
use crate::person::{Access, FactId, FactKind};
use crate::plan::{Before, Wish};

pub(super) fn decide(case: &Case<'_>) -> Decision {
    let event = case.event;
    if lacks_facts(event) || event.missing.contains(&Missing::ChangedValues) {
        return Decision::Hold(Reason::MissingFacts);
    }
    let (licence, decided) = match licence::due(case) {
        Due::NoPolicy => return conclude(Concluded::Unchanged, Reason::NoLicencePolicy, None),
        Due::JobUnknown => {
            // While access is gone, a change that is taken back leaves what was taken to be restored.
            let taken_back = event.event_type.phase() == Phase::Rescinded && case.taken.is_some();
            let wish = if taken_back { Wish::Clear } else { Wish::Keep };
            let unknown = Conclusion::new(Concluded::Unchanged, Reason::JobUnknown, None);
            return Decision::Conclude(Conclusion { wish, ..unknown });
        }
        Due::Licence(licence, kind, fact) => (licence, (kind, fact)),
    };
    let access = case.facts.access(case.now, case.policy.access_policy());
    if case.taken.is_some() || matches!(access, Access::NotDue(_)) {
        return later(Concluded::Unchanged, Reason::LicenceKept, licence);
    }
    match case.known {
        Known::NotYet => Decision::LookUp,
        Known::NoAddress => Decision::Hold(Reason::NoAddress),
        // Who has no licence has not registered, as far as is known.
        Known::Remembered { account, licence: None, .. } => by_groups(account).unwrap_or(Decision::LookUp),
        Known::Remembered { account, user, licence: Some(has) } => {
            // The audit has seen another licence than is remembered, or it would not ask for it.
            let asked_back = event.event_type.kind() == Kind::LicenseReclaim;
            let sure = !case.takeover && case.prior.is_none() && !asked_back;
            if sure && has == licence.as_str() {
                return by_groups(account).unwrap_or_else(|| already(case, decided));
            }
            let has = (!asked_back).then(|| has.to_owned());
            set(case, account, user, false, Some(Before { registration: Registration::Unknown, licence: has }), licence)
        }
        Known::Found(Found::Nobody { account }) => {
            let groups = account.as_ref().and_then(by_groups);
            groups.unwrap_or_else(|| later(Concluded::Unchanged, Reason::UserNotFound, licence))
        }
        Known::Found(Found::SeveralAccounts) => several_accounts(),
        Known::Found(Found::UnknownAccount) => unknown_account(),
        Known::Found(Found::SomebodyElses) => Decision::Hold(Reason::AddressReused),
        Known::Found(Found::Somebody { account, user }) => {
            if let Some(refused) = by_groups(account) {
                return refused;
            }
            let sure = !case.takeover && case.prior.is_none();
            match user.registration {
                Registration::Unregistered | Registration::Suspended => {
                    later(Concluded::Unchanged, Reason::LicenceKept, licence)
                }
                Registration::Registered | Registration::Unknown
                    if sure && user.licence.as_deref() == Some(licence.as_str()) =>
                {
                    already(case, decided)
                }
                Registration::Registered | Registration::Unknown => {
                    let before = Before { registration: user.registration, licence: user.licence.clone() };
                    set(case, account, &user.id, true, Some(before), licence)
                }
            }
        }
    }
}

fn set(
    case: &Case<'_>,
    account: &Account,
    user: &UserId,
    fresh: bool,
    before: Option<Before>,
    licence: Licence,
) -> Decision {
    if let Some(refused) = by_groups(account) {
        return refused;
    }
    if !case.offers(licence) {
        let message = format!("gives the licence {}, which the account does not offer", licence.as_str());
        return Decision::Park(Refusal::new(RefusalCode::UnsupportedLicence, "policy.licences", message));
    }
    if case.account.is_some_and(|account| !account.active) {
        return super::account_suspended();
    }
    give::set_licence(case, account, user, fresh, before, licence)
}

/// The company's directory gives licences by its groups.
fn by_groups(account: &Account) -> Option<Decision> {
    match account.kind {
        AccountType::Team | AccountType::EnterpriseLwa => None,
        AccountType::EnterpriseDirectory | AccountType::EnterpriseOidc => {
            let message = "is managed by the company's directory, whose groups give the licences: change them there";
            Some(Decision::Park(Refusal::new(RefusalCode::LicenceByGroups, "account", message)))
        }
    }
}

/// The licence is as it is due. Whether by this event's fact or by another, the outcome says.
fn already(case: &Case<'_>, (kind, fact): (FactKind, FactId)) -> Decision {
    let newer = overruled(case.event, case.facts);
    let own = crate::person::FactKind::of(case.event.event_type) == Some(kind) && case.event.fact == fact;
    let (result, reason, decided) = match newer {
        Some(newer) => (Concluded::Superseded, Reason::NewerAssertion, newer),
        None if own || case.event.event_type.phase() == Phase::Rescinded => {
            (Concluded::Unchanged, Reason::LicenceAlready, fact)
        }
        None => (Concluded::Superseded, Reason::OtherLicenceFact, fact),
    };
    Decision::Conclude(Conclusion { wish: Wish::Clear, ..Conclusion::new(result, reason, Some(decided)) })
}

/// The licence is kept, to be set when there is somebody to set it for.
fn later(result: Concluded, reason: Reason, licence: Licence) -> Decision {
    Decision::Conclude(Conclusion { wish: Wish::Set(licence), ..Conclusion::new(result, reason, None) })
}
