use super::*;
use jiff::civil::date;
use proptest::strategy::Strategy;

const FIRST: Shrinkage = Shrinkage { before: None, percent: 10 };

fn rows(format: Format, text: &[u8]) -> Result<Vec<Row>, Refused> {
    let mut rows = Vec::new();
    read(format, text, FIRST, |row| {
        rows.push(row);
        Ok::<(), Refused>(())
    })?;
    Ok(rows)
}

fn refused(format: Format, text: &str) -> String {
    rows(format, text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn the_same_people_in_every_format() {
    let csv = "Employee ID,Work Email,Worker Status,Hire Date,Leave Start,Leave-End,Job Code,Manager ID,Favourite colour\r\n\
               007,Ann@X.example,Active,2020-01-02,,,ENG-1,12,\"blue, or \"\"green\"\"\"\r\n\
               12,,On Leave,2019-05-06T00:00:00Z,2026-11-01,2026-12-31,,,\r\n";
    let semicolons = "\u{feff}worker_id;email;status;start_date;leave_start;leave_end;job_code;manager_worker_id\n\
                      007;ann@x.example;active;2020-01-02;;;ENG-1;12\n\
                      12;;leave;2019-05-06;2026-11-01;2026-12-31;;";
    let json = r#"[
        { "workerId": "007", "email": "ann@x.example", "status": "active", "startDate": "2020-01-02", "jobCode": "ENG-1", "managerWorkerId": 12, "note": { "{": "}" } },
        { "workerId": 12, "status": "on_leave", "startDate": "2019-05-06", "leaveStart": "2026-11-01", "leaveEnd": "2026-12-31", "email": null }
    ]"#;
    let lines = json.replace("[\n", "").replace("] ", "").replace("},\n", "}\n").replace("\n    ]", "\n");
    let files = [(Format::Csv, csv), (Format::Csv, semicolons), (Format::Json, json), (Format::Json, &lines)];
    for (format, text) in files {
        let rows = rows(format, text.as_bytes()).unwrap_or_else(|refused| panic!("{refused}: {text}"));
        let [ann, boss] = rows.as_slice() else { panic!("{text}") };
        assert_eq!((ann.worker_id.as_ref(), ann.status), ("007", Status::Active), "leading zeros count");
        assert_eq!(ann.email.as_ref().map(AsRef::as_ref), Some("ann@x.example"));
        assert_eq!((ann.started, ann.leave), (Some(date(2020, 1, 2)), None));
        assert_eq!(ann.job.code.as_deref(), Some("ENG-1"));
        assert_eq!(ann.manager.as_ref(), Some(&boss.worker_id));
        assert_eq!((boss.status, boss.email.as_ref()), (Status::OnLeave, None));
        assert_eq!(boss.leave, Some(Leave { from: date(2026, 11, 1), to: Some(date(2026, 12, 31)) }));
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_column() {
    let too_many = format!("worker_id,status,object_id\n7,active,{}\n", ["id"; 21].join(";"));
    let table = [
        ("", "line 1: has no row; export the roster again"),
        ("worker_id,status\n", "line 1: has no row; export the roster again"),
        ("status\nactive\n", "line 1, column worker_id: is missing"),
        ("worker_id\n7\n", "line 1, column status: is missing"),
        (
            "worker_id,Employee Number,status\n7,7,active\n",
            "line 1, column worker_id: is there twice; leave one of the two columns out",
        ),
        ("worker_id,status\n7,active\n8\n", "line 3: has 1 fields, and the header has 2"),
        (
            "worker_id,status\n7,active\n8,act",
            "line 3, column status: must be active, on_leave, terminated or pre_hire",
        ),
        (
            "worker_id,status\n7,active\n8,\"acti",
            "line 3, column status: must be active, on_leave, terminated or pre_hire",
        ),
        (
            "worker_id,note,status\n7,\"a\",active\n8,b,\"active",
            "line 3: ends in the middle of a row; copy or export the whole file",
        ),
        ("worker_id,status\n7,active\n,active\n", "line 3, column worker_id: is missing"),
        ("worker_id,status\n7,active\n8,\n", "line 3, column status: is missing"),
        (
            "worker_id,status\n7,active\n8,active\n7,active\n",
            "line 4, column worker_id: comes a second time; each person has one row",
        ),
        ("worker_id,status,email\n7,active,nobody\n", "line 2, column email: must be an e-mail address"),
        (
            "worker_id,status,time zone\n7,active,Mars/Base\n",
            "line 2, column time_zone: must be an IANA name, like Europe/Berlin",
        ),
        (
            "worker_id,status,hire_date\n7,active,02/01/2020\n",
            "line 2, column start_date: must be a date like 2026-11-23; other orders of day and month are not told apart",
        ),
        (
            "worker_id,status,leave_start,leave_end\n7,active,2026-11-02,2026-11-01\n",
            "line 2, column leave_end: must not be before leave_start",
        ),
        ("worker_id,status,leave_end\n7,active,2026-11-01\n", "line 2, column leave_start: is missing"),
        (&too_many, "line 2, column provider_subject_ids: must be 20 ids at most"),
    ];
    for (text, told) in table {
        assert_eq!(refused(Format::Csv, text), told, "{text:?}");
    }
    let table = [
        ("", "line 1: has no row; export the roster again"),
        ("[]", "line 1: has no row; export the roster again"),
        (
            "[\n{\"worker_id\":\"7\",\"status\":\"active\"}\n",
            "line 3: ends in the middle of a row; copy or export the whole file",
        ),
        (
            "[\n{\"worker_id\":\"7\",\"status\":\"act",
            "line 2: ends in the middle of a row; copy or export the whole file",
        ),
        (
            "[{\"worker_id\":\"7\",\"status\":\"active\"} {}]",
            "line 1: cannot be read; export it as CSV (RFC 4180) or JSON",
        ),
        ("<html>", "line 1: cannot be read; export it as CSV (RFC 4180) or JSON"),
        ("{\"worker_id\":\"7\",}", "line 1: cannot be read; export it as CSV (RFC 4180) or JSON"),
        ("{\"worker_id\":true,\"status\":\"active\"}", "line 1, column worker_id: must be a text or a number"),
        (
            "{\"worker_id\":\"7\",\"employeeId\":\"8\",\"status\":\"active\"}",
            "line 1, column worker_id: is there twice; leave one of the two columns out",
        ),
        ("{\"status\":\"active\"}", "line 1, column worker_id: is missing"),
    ];
    for (text, told) in table {
        assert_eq!(refused(Format::Json, text), told, "{text:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let csv = b"worker_id,status\n7,active\n\xff,active\n";
    assert_eq!(rows(Format::Csv, csv).unwrap_err(), Refused::in_column(3, Column::WorkerId, Why::NotUtf8));
    let json = b"{\"worker_id\":\"\xff\",\"status\":\"active\"}";
    assert_eq!(rows(Format::Json, json).unwrap_err(), Refused::at(1, Why::NotUtf8));
}

#[test]
fn one_row_cannot_fill_the_memory() {
    let long = "x".repeat(ROW_LIMIT);
    let csv = format!("worker_id,status,note\n7,active,{long}\n");
    assert_eq!(rows(Format::Csv, csv.as_bytes()).unwrap_err(), Refused::at(2, Why::TooLarge));
    let json = format!("{{\"worker_id\":\"7\",\"note\":\"{long}");
    assert_eq!(rows(Format::Json, json.as_bytes()).unwrap_err(), Refused::at(1, Why::TooLarge));
}

/// Gives `head` once, and then `body` over and over, far beyond what may be read of it; counts what it gave.
struct Endless<'a> {
    head: &'a [u8],
    body: &'a [u8],
    at: usize,
    given: usize,
}

impl std::io::Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given > 8 * 1024 * 1024 {
            return Ok(0);
        }
        for byte in buffer.iter_mut() {
            let later = self.at.checked_sub(self.head.len());
            *byte = later.map_or_else(|| self.head[self.at], |at| self.body[at % self.body.len()]);
            self.at += 1;
        }
        self.given += buffer.len();
        Ok(buffer.len())
    }
}

/// What never ends is refused after some hundred KiB: no file can fill the memory before its first row is there.
#[test]
fn a_row_that_never_ends_is_refused_soon() {
    let table: [(Format, &str, &str, u64); 8] = [
        (Format::Csv, "worker_id,status\n7,active\n8,\"", "acti", 3),
        (Format::Csv, "worker_id,status\n7,active\n8,\"", "acti\n", 3),
        (Format::Csv, "worker_id,status\n7,active\n8,\"", "\"\"", 3),
        (Format::Csv, "worker_id,status", ",", 1),
        (Format::Csv, "", "x", 1),
        (Format::Csv, "worker_id,status\n7,active\n", "\n", 3),
        (Format::Json, "{\"worker_id\":", "[", 1),
        (Format::Json, "[{\"worker_id\":\"7\",\"status\":\"", "x", 1),
    ];
    for (format, head, body, line) in table {
        let mut input = Endless { head: head.as_bytes(), body: body.as_bytes(), at: 0, given: 0 };
        let answer = read(format, &mut input, FIRST, |_| Ok::<(), Refused>(()));
        assert_eq!(answer, Err(Refused::at(line, Why::TooLarge)), "{head} {body}");
        assert!(input.given < 512 * 1024, "{} bytes were read: {head} {body}", input.given);
    }
}

#[test]
fn what_is_nested_or_wide_gets_an_answer() {
    for (open, close) in [("{\"a\":", "}"), ("[", "]")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let json = format!("{{\"worker_id\":\"7\",\"status\":\"active\",\"note\":{deep}}}");
        let why = if json.len() > ROW_LIMIT { Why::TooLarge } else { Why::Malformed };
        assert_eq!(rows(Format::Json, json.as_bytes()).unwrap_err(), Refused::at(1, why), "{open}");
    }
    let deep = format!("{{\"worker_id\":{}7{},\"status\":\"active\"}}", "[".repeat(100), "]".repeat(100));
    assert_eq!(rows(Format::Json, deep.as_bytes()).unwrap()[0].worker_id.as_ref(), "7");
    // A hundred thousand columns without a name mean nothing, and take nothing away.
    let commas = ",".repeat(100_000);
    let wide = format!("worker_id,status{commas}\n7,active{commas}\n8,left{commas}\n");
    assert_eq!(rows(Format::Csv, wide.as_bytes()).unwrap().len(), 2);
    let named = format!("worker_id,status{}\n", ",c".repeat(100_000));
    assert_eq!(rows(Format::Csv, named.as_bytes()).unwrap_err(), Refused::at(1, Why::TooLarge));
    // Doubled quotes take two bytes of the file, and one of the row.
    let quotes = "\"\"".repeat(ROW_LIMIT - 100);
    let full = format!("worker_id,status,note\n7,active,\"{quotes}\"\n8,active,\n");
    assert_eq!(rows(Format::Csv, full.as_bytes()).unwrap().len(), 2);
}

#[test]
fn a_roster_that_shrank_is_taken_for_a_part() {
    let text = "worker_id,status\n1,active\n2,active\n3,terminated\n";
    let with = |before, percent| {
        read(Format::Csv, text.as_bytes(), Shrinkage { before: Some(before), percent }, |_| Ok::<(), Refused>(()))
    };
    assert_eq!(with(3, 0), Ok(3));
    assert_eq!(with(4, 25), Ok(3), "one of four is 25 %");
    let shrank = Why::Shrank { before: 4, now: 3 };
    assert_eq!(with(4, 24), Err(Refused::at(4, shrank)));
}

/// Every value is personal data.
#[test]
fn neither_rows_nor_errors_show_a_value() {
    let text = "worker_id,status,email,department\nsecret-7,active,secret@x.example,secret-dept\n";
    let shown = format!("{:?}", rows(Format::Csv, text.as_bytes()).unwrap());
    assert!(!shown.contains("secret"), "{shown}");
    for text in ["worker_id,status,email\n7,secret,\n", "worker_id,status,email\n7,active,secret\n"] {
        assert!(!refused(Format::Csv, text).contains("secret"));
    }
}

#[test]
fn what_takes_the_rows_may_stop_the_reading() {
    let text = "worker_id,status\n1,active\n2,nonsense\n";
    let full = Refused::at(2, Why::Unreadable(std::io::ErrorKind::StorageFull));
    let answer = read(Format::Csv, text.as_bytes(), FIRST, |_| Err(full.clone()));
    assert_eq!(answer, Err(full), "the second row is not even looked at");
}

proptest::proptest! {
    /// Cut anywhere inside its last row, a JSON roster is refused, and so is a CSV roster with quotes.
    #[test]
    fn a_part_of_a_row_is_no_roster(cut in 1usize..40) {
        let json = "[{\"worker_id\":\"1\",\"status\":\"active\"},{\"worker_id\":\"2\",\"status\":\"active\"}]";
        proptest::prop_assert!(rows(Format::Json, &json.as_bytes()[..json.len() - cut]).is_err());
    }

    /// Whatever comes, there is an answer, and no panic.
    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), json in proptest::bool::ANY) {
        let _ = rows(if json { Format::Json } else { Format::Csv }, &bytes);
    }

    /// The same for what is nearly a roster: pieces of good and bad ones in any order.
    #[test]
    fn any_pieces_of_rosters_get_an_answer(pieces in proptest::collection::vec(piece(), 0..40), json in proptest::bool::ANY) {
        let text = pieces.concat();
        let format = if json { Format::Json } else { Format::Csv };
        let mut taken = 0;
        let answer = read(format, &text[..], FIRST, |_| { taken += 1; Ok::<(), Refused>(()) });
        // Whatever is good, every row of it was handed over; whatever is refused, the line is one of the file's.
        match answer {
            Ok(rows) => proptest::prop_assert_eq!(rows, taken),
            Err(refused) => {
                let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
                proptest::prop_assert!((1..=lines).contains(&refused.line), "{refused:?} of {lines}");
            }
        }
    }
}

fn piece() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    let pieces: [&[u8]; 28] = [
        b"worker_id,email,status,end_date\n",
        b"worker_id;status\n",
        b"\xef\xbb\xbf",
        b"7,a@x.example,active,\n",
        b"8,,terminated,2026-11-20\n",
        b"\n",
        b"\r\n",
        b",",
        b";",
        b"\t",
        b"\"",
        b"\"\"",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\\",
        b"{\"worker_id\":\"7\",\"status\":\"active\"}",
        b"{\"workerId\":8,\"status\":\"left\",\"end_date\":null}",
        b"\"worker_id\":",
        b":",
        b"null",
        b"\xff",
        b"\0",
        b"9",
        b"active",
        b"2026-02-30",
        b" ",
    ];
    proptest::sample::select(pieces.to_vec()).prop_map(<[u8]>::to_vec)
}
