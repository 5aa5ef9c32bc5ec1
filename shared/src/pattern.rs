//! Patterns of the policy: text in which `*` stands for any characters.

/// Whether a text matches a pattern in which `*` stands for any characters.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == text[from] => {
                at += 1;
                from += 1;
            }
            Some(_) | None => {
                // The last star takes one character more.
                let Some((star_at, taken)) = star else { return false };
                (at, from) = (star_at + 1, taken + 1);
                star = Some((star_at, from));
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let table = [
            ("svc-*@x.example", "svc-mail@x.example", true),
            ("svc-*@x.example", "svc-@x.example", true),
            ("svc-*@x.example", "svc-mail@y.example", false),
            ("*@board.example", "a@board.example", true),
            ("*@board.example", "a@board.example.org", false),
            ("a*b*c@x.example", "a-b-b-c@x.example", true),
            ("ceo@x.example", "ceo@x.example", true),
            ("ceo@x.example", "xceo@x.example", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
