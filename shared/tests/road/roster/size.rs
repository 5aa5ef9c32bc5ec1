//! A large roster goes through in pieces: what is held at once does not grow with it.

use super::TestBucket;
use jiff::SignedDuration;
use rollcall::directory::Deadline;
use rollcall::failure::Failure;
use rollcall::host::{Host, System};
use rollcall::roster::load::{CHUNK, Load, Nowhere, Rows, index};
use rollcall::roster::{RUN_ROWS, Row, Shrinkage, Version};
use rollcall::store::Store;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many rows the sink was given at once, at most, and all together.
#[derive(Default)]
struct Counting {
    most: AtomicUsize,
    all: AtomicUsize,
}

impl Rows for Counting {
    async fn put(&self, version: &Version, rows: &[Row], deadline: Deadline) -> Result<(), Failure> {
        self.most.fetch_max(rows.len(), Ordering::SeqCst);
        self.all.fetch_add(rows.len(), Ordering::SeqCst);
        Nowhere.put(version, rows, deadline).await
    }
}

#[tokio::test]
async fn two_hundred_thousand_rows_go_through_in_pieces() {
    const ROWS: usize = 200_000;
    let bucket = TestBucket::default();
    let row = |i: usize| format!("{i},person{}@acme.example,active,2020-01-02,Rockets\n", (i * 7919) % ROWS);
    let file = "worker_id,email,status,start_date,department\n".to_owned() + &(0..ROWS).map(row).collect::<String>();
    let length = file.len();
    bucket.write("roster/large.csv", file.into()).await.unwrap();
    let bucket_of_runs = TestBucket::default();
    let host = System::default();
    let load = Load {
        from: &bucket,
        source: "roster/large.csv",
        version: Version::new(host.now(), host.now(), 1),
        shrinkage: Shrinkage { before: None, percent: 0 },
        deadline: Deadline::at(host.now() + SignedDuration::from_secs(900)),
    };
    let sink = Counting::default();
    let index = index(&load, &bucket_of_runs, &sink, &host).await.unwrap();
    assert_eq!((index.rows, index.without_address), (ROWS as u64, 0));
    assert_eq!(index.runs.iter().map(|run| run.rows).collect::<Vec<_>>(), vec![RUN_ROWS as u64; ROWS / RUN_ROWS]);
    assert_eq!(sink.all.into_inner(), ROWS);
    assert!(sink.most.into_inner() <= 200);
    let (read, _) = bucket.largest();
    let (_, written) = bucket_of_runs.largest();
    assert!(length > 10 * 1024 * 1024, "{length}");
    assert_eq!(read as u64, CHUNK);
    assert!(written < 6 * 1024 * 1024, "{written}");
    let mut all = std::collections::BTreeSet::new();
    for run in &index.runs {
        let bytes = bucket_of_runs.read(&run.key, 0, u64::MAX).await.unwrap().unwrap();
        let lines: Vec<String> = std::str::from_utf8(&bytes).unwrap().lines().map(str::to_owned).collect();
        assert!(lines.is_sorted(), "every line begins with its address");
        all.extend(lines);
    }
    assert_eq!(all.len(), ROWS, "nobody is lost, and nobody is there twice");
}
