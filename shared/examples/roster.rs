//! A roster of ten million people, CSV and then JSON, through the reader: how many rows a second, and how much memory. Its
//! rows are made while they are read; each format is read in a process of its own, so that each has its own peak.
//!
//! `cargo bench-roster`, or with another number `cargo bench-roster -- 1000000`.

use anyhow::{Context, Result, ensure};
use rollcall::roster::{Format, Leaver, Refused, Shrinkage, read};
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

const ROWS: u64 = 10_000_000;

/// The most memory for each row, in bytes: a 64-bit hash of its number, in a table that doubles. While it does, the old
/// table and the new one are there, at most 9 bytes and 18 for each place that is less than 7/8 full.
const BYTES_A_ROW: u64 = 32;

/// The most memory besides, in bytes: the program, and the row under way.
const BYTES_BESIDES: u64 = 32 * 1024 * 1024;

/// So many rows are read in a second at least: ten million within the 900 s of roster-load, and half of that to spare.
const ROWS_A_SECOND: f64 = 22_000.0;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["csv", rows] => one(Format::Csv, rows.parse()?),
        ["json", rows] => one(Format::Json, rows.parse()?),
        [] => both(ROWS),
        [rows] => both(rows.parse()?),
        _ => anyhow::bail!("give nothing, or a number of rows"),
    }
}

fn both(rows: u64) -> Result<()> {
    for format in ["csv", "json"] {
        let program = std::env::current_exe()?;
        let status = Command::new(program).args([format, &rows.to_string()]).stdin(Stdio::null()).status();
        ensure!(status.context("no process")?.success(), "{format}: beyond its bound");
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn one(format: Format, rows: u64) -> Result<()> {
    let began = Instant::now();
    let mut generated = Generated { format, rows, made: 0, line: Vec::new(), at: 0, bytes: 0 };
    let mut leavers = 0u64;
    let read = read(format, &mut generated, Shrinkage { before: Some(rows), percent: 0 }, |row| {
        leavers += u64::from(Leaver::of(&row).is_some());
        Ok::<(), Refused>(())
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let peak = peak()?;
    let (each_second, megabytes) = (rows as f64 / seconds, 1024.0 * 1024.0);
    writeln!(
        io::stdout(),
        "{format:?}: {read} rows, {:.0} MB, {leavers} leavers; {seconds:.1} s, {each_second:.0} rows/s (at least {ROWS_A_SECOND:.0}); \
         peak memory {:.1} MB (at most {:.1})",
        generated.bytes as f64 / megabytes,
        peak as f64 / megabytes,
        (BYTES_BESIDES + BYTES_A_ROW * rows) as f64 / megabytes,
    )?;
    ensure!(read == rows, "rows were lost");
    ensure!(peak <= BYTES_BESIDES + BYTES_A_ROW * rows, "too much memory");
    ensure!(each_second >= ROWS_A_SECOND, "too slow");
    Ok(())
}

/// A roster that is made line by line, as it is read.
struct Generated {
    format: Format,
    rows: u64,
    made: u64,
    line: Vec<u8>,
    at: usize,
    bytes: u64,
}

impl Generated {
    /// Makes the next line; none where all are made.
    fn next(&mut self) -> io::Result<()> {
        self.line.clear();
        self.at = 0;
        let n = self.made;
        self.made += 1;
        let gone = n.is_multiple_of(20);
        let (status, end) = if gone { ("terminated", "2026-11-20") } else { ("active", "") };
        let department = ["Sales", "Support", "Rockets", "Finance", "Legal"][(n % 5) as usize];
        let line = &mut self.line;
        match self.format {
            Format::Csv if n == 0 => writeln!(
                line,
                "worker_id,email,time_zone,status,start_date,end_date,job_code,department,manager_id,note"
            ),
            Format::Csv if n <= self.rows => writeln!(
                line,
                "{n:08},person{n}@acme.example,Europe/Berlin,{status},2021-03-01,{end},ENG-1,{department},00000001,\"a, b\""
            ),
            Format::Json if (1..=self.rows).contains(&n) => writeln!(
                line,
                "{{\"workerId\":\"{n:08}\",\"email\":\"person{n}@acme.example\",\"timeZone\":\"Europe/Berlin\",\"status\":\"{status}\",\
                 \"startDate\":\"2021-03-01\",\"endDate\":\"{end}\",\"jobCode\":\"ENG-1\",\"department\":\"{department}\",\
                 \"managerId\":\"00000001\",\"note\":{{\"a\":[1,2]}}}}"
            ),
            Format::Json if n == 0 => writeln!(line),
            Format::Csv | Format::Json => Ok(()),
        }
    }
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            self.next()?;
        }
        let length = (self.line.len() - self.at).min(buffer.len());
        buffer[..length].copy_from_slice(&self.line[self.at..self.at + length]);
        self.at += length;
        self.bytes += length as u64;
        Ok(length)
    }
}

/// The most memory that this process ever had resident, in bytes.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024)
}
