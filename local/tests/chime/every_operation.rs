//! Every operation once through the Rust SDK, with what it must have done; and every exception as the SDK's own type.

use crate::stage::{client, serve};
use aws_sdk_chime::error::ProvideErrorMetadata;
use aws_sdk_chime::types::{
    AccountSettings, AccountType, BusinessCallingSettings, EmailStatus, ErrorCode, InviteStatus, License,
    RegistrationStatus, SigninDelegateGroup, TelephonySettings, UpdateUserRequestItem, UserSettings, UserType,
    VoiceConnectorSettings,
};
use rollcall_local::chime::faults::{Fault, FaultKind};
use rollcall_local::chime::routes::Operation;
use std::collections::BTreeSet;

#[tokio::test]
async fn accounts() {
    let chime = serve(1).await;
    let client = client(&chime);
    let made = client.create_account().name("Nova").send().await.unwrap().account.unwrap();
    assert_eq!((made.name(), made.account_type()), ("Nova", Some(&AccountType::Team)));
    assert_eq!(made.default_license(), Some(&License::Pro));
    assert_eq!(made.supported_licenses(), [License::Basic, License::Pro]);
    let id = made.account_id();
    let renamed = client.update_account().account_id(id).name("Nova 2").default_license(License::Basic);
    assert_eq!(renamed.send().await.unwrap().account.unwrap().name(), "Nova 2");
    let got = client.get_account().account_id(id).send().await.unwrap().account.unwrap();
    assert_eq!((got.name(), got.default_license()), ("Nova 2", Some(&License::Basic)));
    let named = client.list_accounts().name("nova").send().await.unwrap();
    assert_eq!(named.accounts().iter().map(|account| account.account_id()).collect::<Vec<_>>(), [id]);

    let settings = |remote, dial_out| {
        AccountSettings::builder().set_disable_remote_control(remote).set_enable_dial_out(dial_out).build()
    };
    let read = async || {
        let settings = client.get_account_settings().account_id(id).send().await.unwrap().account_settings.unwrap();
        (settings.disable_remote_control(), settings.enable_dial_out())
    };
    assert_eq!(read().await, (Some(false), Some(false)));
    for (given, expected) in [
        (settings(Some(true), None), (Some(true), Some(false))),
        (settings(None, Some(true)), (Some(true), Some(true))),
    ] {
        client.update_account_settings().account_id(id).account_settings(given).send().await.unwrap();
        assert_eq!(read().await, expected, "absent is unchanged");
    }

    let refused = client.delete_account().account_id("team").send().await.unwrap_err().into_service_error();
    assert!(refused.is_unprocessable_entity_exception(), "{refused:?}");
    client.delete_account().account_id(id).send().await.unwrap();
    let gone = client.get_account().account_id(id).send().await.unwrap_err().into_service_error();
    assert!(gone.is_not_found_exception());
    assert_eq!(client.list_accounts().send().await.unwrap().accounts().len(), 4);
}

#[tokio::test]
async fn settings_above_all_accounts_and_delegate_groups() {
    let chime = serve(0).await;
    let client = client(&chime);
    let calling = BusinessCallingSettings::builder().cdr_bucket("calls").build();
    client.update_global_settings().business_calling(calling).send().await.unwrap();
    let connector = VoiceConnectorSettings::builder().cdr_bucket("voices").build();
    client.update_global_settings().voice_connector(connector).send().await.unwrap();
    let got = client.get_global_settings().send().await.unwrap();
    assert_eq!(got.business_calling().unwrap().cdr_bucket(), Some("calls"));
    assert_eq!(got.voice_connector().unwrap().cdr_bucket(), Some("voices"));

    let group = |name: &str| SigninDelegateGroup::builder().group_name(name).build();
    let groups = async || {
        let account = client.get_account().account_id("directory").send().await.unwrap().account.unwrap();
        account.signin_delegate_groups().iter().map(|group| group.group_name().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let associate = client.associate_signin_delegate_groups_with_account().account_id("directory");
    associate.signin_delegate_groups(group("a")).signin_delegate_groups(group("b")).send().await.unwrap();
    let again = client.associate_signin_delegate_groups_with_account().account_id("directory");
    again.signin_delegate_groups(group("a")).send().await.unwrap();
    assert_eq!(groups().await, ["a", "b"]);
    let leave = client.disassociate_signin_delegate_groups_from_account().account_id("directory");
    leave.group_names("a").group_names("unknown").send().await.unwrap();
    assert_eq!(groups().await, ["b"]);
}

#[tokio::test]
async fn users_come_by_invitation_and_by_creation() {
    let chime = serve(1).await;
    let client = client(&chime);
    let invite =
        client.invite_users().account_id("team").user_email_list("new@x.example").user_email_list("n2@x.example");
    let answer = invite.send().await.unwrap();
    assert_eq!(answer.invites().len(), 2);
    let first = &answer.invites()[0];
    assert_eq!((first.status(), first.email_status()), (Some(&InviteStatus::Pending), Some(&EmailStatus::Sent)));
    assert_eq!(first.email_address(), Some("new@x.example"));
    let page = client.list_users().account_id("team").user_email("new@x.example").send().await.unwrap();
    let pending = &page.users()[0];
    assert_eq!(pending.user_registration_status(), Some(&RegistrationStatus::Unregistered));
    assert_eq!(pending.user_invitation_status(), Some(&InviteStatus::Pending));
    assert!(pending.invited_on().is_some() && pending.registered_on().is_none() && pending.display_name().is_none());
    client.invite_users().account_id("team").user_email_list("new@x.example").send().await.unwrap();
    let mails = |email: &str| chime.core().account("team").unwrap().by_email(email).unwrap().mails;
    assert_eq!((mails("new@x.example"), mails("n2@x.example")), (2, 1));
    let refused = client.invite_users().account_id("lwa").user_email_list("new@x.example").send().await.unwrap_err();
    assert!(refused.into_service_error().is_bad_request_exception());

    let create = client.create_user().account_id("lwa").email("room@lwa.example").user_type(UserType::SharedDevice);
    let made = create.clone().username("Room 1").send().await.unwrap().user.unwrap();
    assert_eq!((made.user_type(), made.account_id()), (Some(&UserType::SharedDevice), Some("lwa")));
    assert!(create.send().await.unwrap_err().into_service_error().is_conflict_exception());
    let private = client.create_user().account_id("lwa").email("p@lwa.example").user_type(UserType::PrivateUser);
    assert!(private.send().await.unwrap_err().into_service_error().is_bad_request_exception());
    let devices = client.list_users().account_id("lwa").user_type(UserType::SharedDevice).send().await.unwrap();
    assert_eq!(devices.users().iter().map(|user| user.user_id()).collect::<Vec<_>>(), [made.user_id()]);
}

#[tokio::test]
async fn one_user() {
    let chime = serve(1).await;
    let client = client(&chime);
    let user = async || client.get_user().account_id("lwa").user_id("lwa-u0").send().await.unwrap().user.unwrap();
    assert_eq!(user().await.personal_pin(), Some("0123456789"));
    let listed = client.list_users().account_id("lwa").send().await.unwrap();
    assert_eq!(listed.users()[0].personal_pin(), None, "a listing shows no PIN");
    let update = client.update_user().account_id("lwa").user_id("lwa-u0").license_type(License::Basic);
    assert_eq!(update.send().await.unwrap().user.unwrap().license_type(), Some(&License::Basic));
    let unsupported = client.update_user().account_id("lwa").user_id("lwa-u0").license_type(License::Plus);
    assert!(unsupported.send().await.unwrap_err().into_service_error().is_bad_request_exception());
    assert_eq!(user().await.license_type(), Some(&License::Basic));
    let reset = client.reset_personal_pin().account_id("lwa").user_id("lwa-u0").send().await.unwrap().user.unwrap();
    let pin = reset.personal_pin().unwrap();
    assert!(pin.len() == 10 && pin.bytes().all(|digit| digit.is_ascii_digit()) && pin != "0123456789");
    assert_eq!(user().await.personal_pin(), Some(pin));
    client.logout_user().account_id("lwa").user_id("lwa-u0").send().await.unwrap();
    assert_eq!(chime.core().account("lwa").unwrap().user("lwa-u0").unwrap().sessions, 0);
    let unknown = client.logout_user().account_id("lwa").user_id("nobody").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_not_found_exception());

    let flags = async || {
        let answer = client.get_user_settings().account_id("lwa").user_id("lwa-u0").send().await.unwrap();
        let telephony = answer.user_settings.unwrap().telephony.unwrap();
        (telephony.inbound_calling(), telephony.outbound_calling(), telephony.sms())
    };
    assert_eq!(flags().await, (false, false, false));
    let telephony =
        TelephonySettings::builder().inbound_calling(true).outbound_calling(false).sms(true).build().unwrap();
    let settings = UserSettings::builder().telephony(telephony).build();
    client.update_user_settings().account_id("lwa").user_id("lwa-u0").user_settings(settings).send().await.unwrap();
    assert_eq!(flags().await, (true, false, true));
}

#[tokio::test]
async fn licences_in_a_batch() {
    let chime = serve(3).await;
    let client = client(&chime);
    let item = |id: &str, license| UpdateUserRequestItem::builder().user_id(id).license_type(license).build().unwrap();
    let items = [
        item("lwa-u0", License::Basic),
        item("nobody", License::Basic),
        item("lwa-u1", License::ProTrial),
        item("lwa-u2", License::Basic),
    ];
    let request = client.batch_update_user().account_id("lwa").set_update_user_request_items(Some(items.to_vec()));
    let answer = request.send().await.unwrap();
    let errors: Vec<_> =
        answer.user_errors().iter().map(|error| (error.user_id().unwrap(), error.error_code())).collect();
    let expected = [("nobody", Some(&ErrorCode::NotFound)), ("lwa-u1", Some(&ErrorCode::BadRequest))];
    assert_eq!(errors, expected, "in the order of the request");
    let core = chime.core();
    let licence = |id| format!("{:?}", core.account("lwa").unwrap().user(id).unwrap().license_type.unwrap());
    assert_eq!([licence("lwa-u0"), licence("lwa-u1"), licence("lwa-u2")], ["Basic", "Pro", "Basic"]);
}

/// What each account type allows. Source: the reference's table of operations by account type.
#[tokio::test]
async fn batches_by_account_type() {
    for (account, suspend, unsuspend, relicense) in [
        ("team", true, false, true),
        ("lwa", true, true, true),
        ("directory", false, false, false),
        ("oidc", false, false, false),
    ] {
        let chime = serve(1).await;
        let client = client(&chime);
        let user = format!("{account}-u0");
        let allowed = |errors: &[aws_sdk_chime::types::UserError]| {
            assert!(errors.iter().all(|error| error.error_code() == Some(&ErrorCode::BadRequest)), "{errors:?}");
            errors.is_empty()
        };
        let item = UpdateUserRequestItem::builder().user_id(&user).license_type(License::Basic).build().unwrap();
        let answer =
            client.batch_update_user().account_id(account).update_user_request_items(item).send().await.unwrap();
        assert_eq!(allowed(answer.user_errors()), relicense, "BatchUpdateUser on {account}");
        let answer = client.batch_unsuspend_user().account_id(account).user_id_list(&user).send().await.unwrap();
        assert_eq!(allowed(answer.user_errors()), unsuspend, "BatchUnsuspendUser on {account}");
        client.logout_user().account_id(account).user_id(&user).send().await.unwrap();
        client.reset_personal_pin().account_id(account).user_id(&user).send().await.unwrap();
        let answer = client.batch_suspend_user().account_id(account).user_id_list(&user).send().await.unwrap();
        assert_eq!(allowed(answer.user_errors()), suspend, "BatchSuspendUser on {account}");
    }
}

/// Each exception of the model, as the SDK's own type, its code filled in.
#[tokio::test]
async fn every_exception_is_typed() {
    let chime = serve(1).await;
    let client = client(&chime);
    let kinds = [
        (FaultKind::BadRequest, "BadRequestException", 400),
        (FaultKind::Unauthorized, "UnauthorizedClientException", 401),
        (FaultKind::Forbidden, "ForbiddenException", 403),
        (FaultKind::NotFound, "NotFoundException", 404),
        (FaultKind::Conflict, "ConflictException", 409),
        (FaultKind::Throttle, "ThrottledClientException", 429),
        (FaultKind::ServiceFailure, "ServiceFailureException", 500),
        (FaultKind::ServiceUnavailable, "ServiceUnavailableException", 503),
    ];
    let mut seen = BTreeSet::new();
    for (kind, name, status) in kinds {
        chime.core().disarm();
        chime.core().arm(Fault { operation: Operation::CreateUser, kind, after: 0, times: 3 });
        let error = client.create_user().account_id("team").send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status, "{name}");
        let error = error.into_service_error();
        assert_eq!(error.code(), Some(name));
        assert!(error.message().is_some_and(|message| !message.is_empty()));
        let typed = [
            error.is_bad_request_exception(),
            error.is_unauthorized_client_exception(),
            error.is_forbidden_exception(),
            error.is_not_found_exception(),
            error.is_conflict_exception(),
            error.is_throttled_client_exception(),
            error.is_service_failure_exception(),
            error.is_service_unavailable_exception(),
        ];
        assert_eq!(typed.iter().filter(|typed| **typed).count(), 1, "{name}");
        seen.insert(name);
    }
    assert_eq!(seen.len(), 8);
    // The ninth is DeleteAccount's own; `accounts` above has it.
}
