//! XML as a stream, with a measure for everything: no document type, no entity but XML's own five.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// How deeply elements may be nested.
const DEPTH: usize = 32;

/// The longest text of an element, in bytes.
const TEXT: usize = 4096;

/// What ends at a path.
pub(super) enum Node<'a> {
    /// An element that holds text alone: the text, without the space around it.
    Text(&'a str),
    /// An element that holds others.
    End,
}

/// Reads a document. `visit` sees every element when it ends, with the local names from the root to it.
///
/// # Errors
/// Why the document is refused, in our words; or what `visit` says.
pub(super) fn read(
    text: &str,
    mut visit: impl FnMut(&[String], Node<'_>) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut path: Vec<String> = Vec::new();
    // The text since the last tag; `None` after an end: what follows it belongs to an element that holds others.
    let mut content: Option<String> = None;
    loop {
        match reader.read_event().map_err(|_| "the body is not XML")? {
            Event::Start(start) => {
                if path.len() == DEPTH {
                    return Err("the body is nested too deeply");
                }
                path.push(start.local_name().as_ref().to_owned());
                content = Some(String::new());
            }
            Event::End(_) => {
                match content.take() {
                    Some(text) => visit(&path, Node::Text(text.trim()))?,
                    None => visit(&path, Node::End)?,
                }
                path.pop();
            }
            Event::Text(text) => add(&mut content, &text.into_inner())?,
            Event::CData(text) => add(&mut content, &text.into_inner())?,
            Event::GeneralRef(reference) => add(&mut content, &resolved(&reference)?)?,
            Event::DocType(_) => return Err("the body defines a document type"),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => return Err("the body is not XML"),
        }
    }
}

fn add(content: &mut Option<String>, text: &str) -> Result<(), &'static str> {
    let Some(content) = content else { return Ok(()) };
    if content.len() + text.len() > TEXT {
        return Err("a text of the body is too long");
    }
    content.push_str(text);
    Ok(())
}

/// A character by its number, or one of the five that XML itself names.
fn resolved(reference: &BytesRef<'_>) -> Result<String, &'static str> {
    const UNKNOWN: &str = "the body uses an entity that XML does not have";
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.to_string()),
        Ok(None) => resolve_predefined_entity(reference).map(str::to_owned).ok_or(UNKNOWN),
        Err(_) => Err(UNKNOWN),
    }
}
