//! A roster in CSV (RFC 4180), with a header row.

use super::reader::Watched;
use super::row::{Column, Fields};
use super::{ROW_LIMIT, Refused, Row, Why};
use csv::{ByteRecord, ReaderBuilder};
use std::io::{BufRead, BufReader, ErrorKind, Read};

/// What Excel puts before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn read<R: Read, E: From<Refused>>(
    input: &mut Watched<R>,
    mut each: impl FnMut(Row) -> Result<(), E>,
) -> Result<(), E> {
    let mut input = BufReader::new(input);
    let start = input.fill_buf().map_err(|error| Refused::at(1, Why::Unreadable(error.kind())))?;
    let delimiter = delimiter(start);
    let mut reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(input);
    let mut record = ByteRecord::new();
    let mut columns: Option<Vec<Option<Column>>> = None;
    loop {
        reader.get_ref().get_ref().begin_row();
        let more = reader.read_byte_record(&mut record);
        let line = record.position().map_or(1, csv::Position::line);
        if !more.map_err(|error| refused(&error, line))? {
            break;
        }
        if record.as_slice().len() > ROW_LIMIT {
            return Err(Refused::at(line, Why::TooLarge).into());
        }
        match &columns {
            None => columns = Some(header(&record, line)?),
            Some(columns) => each(row(columns, &record, line)?)?,
        }
    }
    let input = reader.get_ref().get_ref();
    if input.is_in_quotes() {
        return Err(Refused::at(input.line(), Why::Truncated).into());
    }
    Ok(())
}

/// What stands between the fields: the one of `,`, `;` and tab that the header has most of.
fn delimiter(start: &[u8]) -> u8 {
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &u8| header.iter().filter(|byte| *byte == delimiter).count();
    // Of several that are as many, the last is taken.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// What each column holds; `None` for those that mean nothing here.
fn header(record: &ByteRecord, line: u64) -> Result<Vec<Option<Column>>, Refused> {
    let mut columns: Vec<Option<Column>> = Vec::with_capacity(record.len());
    for (index, name) in record.iter().enumerate() {
        let name = if index == 0 { name.strip_prefix(BYTE_ORDER_MARK).unwrap_or(name) } else { name };
        let name = std::str::from_utf8(name).map_err(|_| Refused::at(line, Why::NotUtf8))?;
        let column = Column::named(name);
        if let Some(column) = column.filter(|column| columns.contains(&Some(*column))) {
            return Err(Refused::in_column(line, column, Why::Twice));
        }
        columns.push(column);
    }
    match [Column::WorkerId, Column::Status].into_iter().find(|column| !columns.contains(&Some(*column))) {
        Some(missing) => Err(Refused::in_column(line, missing, Why::Missing)),
        None => Ok(columns),
    }
}

fn row(columns: &[Option<Column>], record: &ByteRecord, line: u64) -> Result<Row, Refused> {
    let mut fields = Fields::default();
    for (column, value) in columns.iter().zip(record) {
        let Some(column) = column else { continue };
        let value = std::str::from_utf8(value).map_err(|_| Refused::in_column(line, *column, Why::NotUtf8))?;
        fields.put(*column, value);
    }
    fields.into_row(line)
}

/// What an error of the row that begins on a line means.
fn refused(error: &csv::Error, line: u64) -> Refused {
    if let csv::ErrorKind::UnequalLengths { expected_len, len, .. } = error.kind() {
        return Refused::at(line, Why::Fields { expected: *expected_len, found: *len });
    }
    if let csv::ErrorKind::Io(error) = error.kind() {
        if error.kind() == ErrorKind::FileTooLarge {
            return Refused::at(line, Why::TooLarge);
        }
        return Refused::at(line, Why::Unreadable(error.kind()));
    }
    Refused::at(line, Why::Malformed)
}
