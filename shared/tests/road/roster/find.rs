//! One person of a roster, by whatever a sender knows of them.

use super::company::{Company, in_force};
use crate::stage::{Fault, ROSTER, Strike};
use rollcall::person::{SubjectId, WorkEmail, WorkerId};
use rollcall::roster::{Found, Index};

/// What the roster answers: the employee number, `nobody` or `several`.
async fn find(company: &Company, index: &Index, worker: &str, subjects: &[&str], email: &str) -> String {
    let worker = (!worker.is_empty()).then(|| WorkerId::parse(worker).unwrap());
    let subjects: Vec<SubjectId> = subjects.iter().map(|subject| SubjectId::parse(subject).unwrap()).collect();
    let email = (!email.is_empty()).then(|| WorkEmail::parse(email).unwrap());
    let found = company.roster().find(&index.version, worker.as_ref(), &subjects, email.as_ref()).await.unwrap();
    match found {
        Found::Row(row) => row.worker_id.as_ref().to_owned(),
        Found::Nobody => "nobody".into(),
        Found::Several => "several".into(),
    }
}

#[tokio::test]
async fn the_strongest_identifier_names_the_person() {
    let company = Company::new().await;
    let file = "worker_id,object_id,email,status\n\
                007,hibob:31;s-7,ann@acme.example,active\n\
                12,hibob:32,bo@acme.example,active\n\
                13,s-13;s-13,shared@acme.example,active\n\
                14,twice,shared@acme.example,terminated\n\
                15,twice,cy@acme.example,active\n";
    let index = in_force(company.drop("roster/all.csv", file).await);
    let table: &[(&str, &[&str], &str, &str)] = &[
        ("007", &[], "", "007"),
        ("7", &[], "", "nobody"),
        ("", &["hibob:31"], "", "007"),
        ("", &["gusto:31", "s-7"], "", "007"),
        ("", &["s-13"], "", "13"),
        ("", &[], "Bo@Acme.example", "12"),
        ("", &["gusto:99", "99"], "bo@acme.example", "12"),
        ("", &[], "nobody@acme.example", "nobody"),
        ("", &[], "", "nobody"),
        // A weaker identifier must agree with a stronger one.
        ("99", &["hibob:31"], "ann@acme.example", "nobody"),
        ("12", &["hibob:31"], "ann@acme.example", "12"),
        ("", &["hibob:99"], "ann@acme.example", "nobody"),
        ("", &["hibob:31"], "bo@acme.example", "007"),
        // What two have names nobody; a weaker one may.
        ("", &[], "shared@acme.example", "several"),
        ("", &["twice"], "", "several"),
        ("", &["twice"], "nobody@acme.example", "several"),
        ("", &["twice"], "cy@acme.example", "15"),
        ("14", &["twice"], "shared@acme.example", "14"),
    ];
    for (worker, subjects, email, expected) in table {
        assert_eq!(find(&company, &index, worker, subjects, email).await, *expected, "{worker} {subjects:?} {email}");
    }
    // Another version's people are not this one's.
    company.stage.host.advance(jiff::SignedDuration::from_secs(60));
    let by_hand = serde_json::json!({ "source": "roster/next.csv", "allow_shrink": true });
    let next = "worker_id,email,status\n16,shared@acme.example,active\n";
    rollcall::store::Store::write(&company.bucket, "roster/next.csv", next.into()).await.unwrap();
    let next = in_force(company.by_hand(by_hand).await);
    assert_eq!(find(&company, &next, "", &[], "shared@acme.example").await, "16");
    assert_eq!(find(&company, &next, "", &["hibob:31"], "").await, "nobody");
    assert_eq!(find(&company, &index, "", &["hibob:31"], "").await, "007");
}

#[tokio::test]
async fn a_row_tells_nothing_that_another_row_has_too() {
    let company = Company::new().await;
    let file = "worker_id,object_id,email,status\n\
                12,hibob:32;s-12,shared@acme.example,active\n\
                13,s-13;s-12,shared@acme.example,terminated\n\
                14,s-14;s-14,own@acme.example,active\n";
    let index = in_force(company.drop("roster/all.csv", file).await);
    for (worker, subjects, email) in
        [("12", &["hibob:32"][..], None), ("13", &["s-13"], None), ("14", &["s-14"], Some("own@acme.example"))]
    {
        let id = SubjectId::parse(subjects[0]).unwrap();
        let number = WorkerId::parse(worker).unwrap();
        for (number, ids) in [(Some(&number), &[][..]), (None, &[id.clone()][..])] {
            let Found::Row(row) = company.roster().find(&index.version, number, ids, None).await.unwrap() else {
                panic!("{worker} is there")
            };
            let mut told: Vec<&str> = row.subjects.iter().map(AsRef::as_ref).collect();
            told.dedup();
            assert_eq!((told, row.email.as_ref().map(AsRef::as_ref)), (subjects.to_vec(), email), "{worker}");
        }
    }
}

/// However far apart the two rows are, and however often the table refuses: the last word on an address is "several".
#[tokio::test]
async fn no_race_of_batches_hides_that_two_have_an_address() {
    let company = Company::new().await;
    let mut file = "worker_id,email,status\n".to_owned();
    for i in 0..900 {
        file += &format!("{i},p{}@acme.example,active\n", i % 450);
    }
    company.stage.wire.set(Strike::on(Fault::WriteOne, "BatchWriteItem", 1, 60));
    let index = in_force(company.drop("roster/all.csv", &file).await);
    company.stage.wire.clear();
    for i in [0, 1, 24, 25, 199, 200, 449] {
        assert_eq!(find(&company, &index, "", &[], &format!("p{i}@acme.example")).await, "several", "{i}");
        assert_eq!(find(&company, &index, &i.to_string(), &[], "").await, i.to_string());
    }
}

#[tokio::test]
async fn keys_and_pointers_show_nobody() {
    let company = Company::new().await;
    let file = "worker_id,object_id,email,status\n4711007,hibob:310031,canary@acme.example,active\n";
    in_force(company.drop("roster/all.csv", file).await);
    let items = company.stage.dynamo.scan().table_name(ROSTER).send().await.unwrap().items.unwrap();
    assert_eq!(items.len(), 4, "current, a row, and two pointers");
    for item in items.iter().filter(|item| !item["id"].as_s().unwrap().contains("#worker#")) {
        let shown = format!("{item:?}");
        assert!(!["4711007", "310031", "canary"].iter().any(|canary| shown.contains(canary)), "{shown}");
        assert!(item.contains_key("expiration") || item["id"].as_s().unwrap() == "current");
    }
}
