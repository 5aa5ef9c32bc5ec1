//! Condition and update expressions: their tokens and their grammar, as far as the ledger uses it.
//!
//! What is not here is an error, never ignored: a condition that were skipped would hold.

use super::Refused;

/// A place in an item: names from the outside in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<String>);

/// A side of a comparison, or of an assignment.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Path(Path),
    /// `:name`
    Value(String),
    /// `if_not_exists(path, operand)`
    IfNotExists(Path, Box<Operand>),
    /// `operand + operand`, or with `-`.
    Sum {
        left: Box<Operand>,
        right: Box<Operand>,
        minus: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Exists(Path),
    NotExists(Path),
    Compare(Operand, Comparison, Operand),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

/// What an update expression does.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Update {
    pub(super) sets: Vec<(Path, Operand)>,
    pub(super) removes: Vec<Path>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// `#name`
    Alias(&'a str),
    /// `:name`
    Value(&'a str),
    Sign(&'a str),
}

/// Looks up the name behind `#name`.
pub(super) type Names<'a> = &'a mut dyn FnMut(&str) -> Result<String, Refused>;

/// Reads a condition expression.
pub(super) fn condition(text: &str, names: Names<'_>) -> Result<Condition, Refused> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, group: (0, 0), names };
    let condition = parser.or()?;
    parser.end()?;
    Ok(condition)
}

/// Reads an update expression.
pub(super) fn update(text: &str, names: Names<'_>) -> Result<Update, Refused> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, group: (0, 0), names };
    let mut update = Update::default();
    while parser.peek().is_some() {
        if parser.word("SET") && update.sets.is_empty() {
            loop {
                let path = parser.path()?;
                parser.sign("=")?;
                update.sets.push((path, parser.sum()?));
                if !parser.takes(",") {
                    break;
                }
            }
        } else if parser.word("REMOVE") && update.removes.is_empty() {
            loop {
                update.removes.push(parser.path()?);
                if !parser.takes(",") {
                    break;
                }
            }
        } else {
            return Err(Refused::unsupported("an update clause other than one SET and one REMOVE"));
        }
    }
    Ok(update)
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, Refused> {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let token = if first == '#' || first == ':' {
            let end = rest[1..].find(|c| !name(c)).map_or(rest.len(), |end| end + 1);
            let token = if first == '#' { Token::Alias(&rest[..end]) } else { Token::Value(&rest[..end]) };
            rest = &rest[end..];
            token
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c| !name(c)).unwrap_or(rest.len());
            let token = Token::Word(&rest[..end]);
            rest = &rest[end..];
            token
        } else {
            let sign = ["<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "+", "-"];
            let sign = sign.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| Refused::unsupported("a sign in an expression"))?;
            rest = &rest[sign.len()..];
            Token::Sign(sign)
        };
        tokens.push(token);
        rest = rest.trim_start();
    }
    Ok(tokens)
}

struct Parser<'a, 'n> {
    tokens: Vec<Token<'a>>,
    next: usize,
    /// Where the last pair of parentheses began and ended.
    group: (usize, usize),
    names: Names<'n>,
}

impl<'a> Parser<'a, '_> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Result<Token<'a>, Refused> {
        let token = self.peek().cloned().ok_or_else(|| Refused::validation("an expression ends too early"))?;
        self.next += 1;
        Ok(token)
    }

    /// Takes a keyword, whatever its case.
    fn word(&mut self, word: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.next += usize::from(is_it);
        is_it
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(is_it);
        is_it
    }

    fn sign(&mut self, sign: &str) -> Result<(), Refused> {
        if self.takes(sign) { Ok(()) } else { Err(Refused::validation("an expression lacks a sign")) }
    }

    fn end(&self) -> Result<(), Refused> {
        if self.peek().is_none() { Ok(()) } else { Err(Refused::validation("an expression goes on after its end")) }
    }

    fn or(&mut self) -> Result<Condition, Refused> {
        let mut left = self.and()?;
        while self.word("OR") {
            left = Condition::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Condition, Refused> {
        let mut left = self.not()?;
        while self.word("AND") {
            left = Condition::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Condition, Refused> {
        if self.word("NOT") {
            return Ok(Condition::Not(Box::new(self.not()?)));
        }
        let start = self.next;
        if self.takes("(") {
            let inner = self.or()?;
            if self.group == (start + 1, self.next) {
                return Err(Refused::validation("an expression has redundant parentheses"));
            }
            self.sign(")")?;
            self.group = (start, self.next);
            return Ok(inner);
        }
        for (function, exists) in [("attribute_exists", true), ("attribute_not_exists", false)] {
            if self.function(function) {
                let path = self.path()?;
                self.sign(")")?;
                return Ok(if exists { Condition::Exists(path) } else { Condition::NotExists(path) });
            }
        }
        let left = self.operand()?;
        let comparison = match self.take()? {
            Token::Sign("=") => Comparison::Equal,
            Token::Sign("<>") => Comparison::Unequal,
            Token::Sign("<") => Comparison::Less,
            Token::Sign("<=") => Comparison::LessOrEqual,
            Token::Sign(">") => Comparison::Greater,
            Token::Sign(">=") => Comparison::GreaterOrEqual,
            Token::Sign(_) | Token::Word(_) | Token::Alias(_) | Token::Value(_) => {
                return Err(Refused::unsupported("a condition that is no comparison"));
            }
        };
        Ok(Condition::Compare(left, comparison, self.operand()?))
    }

    fn sum(&mut self) -> Result<Operand, Refused> {
        let left = self.operand()?;
        for (sign, minus) in [("+", false), ("-", true)] {
            if self.takes(sign) {
                return Ok(Operand::Sum { left: Box::new(left), right: Box::new(self.operand()?), minus });
            }
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Operand, Refused> {
        if let Some(Token::Value(name)) = self.peek() {
            let value = Operand::Value((*name).to_owned());
            self.next += 1;
            return Ok(value);
        }
        if self.function("if_not_exists") {
            let path = self.path()?;
            self.sign(",")?;
            let otherwise = self.operand()?;
            self.sign(")")?;
            return Ok(Operand::IfNotExists(path, Box::new(otherwise)));
        }
        self.path().map(Operand::Path)
    }

    /// Takes a function's name and its parenthesis. Names of functions are lower case.
    fn function(&mut self, name: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Word(found)) if *found == name)
            && matches!(self.tokens.get(self.next + 1), Some(Token::Sign("(")));
        self.next += 2 * usize::from(is_it);
        is_it
    }

    fn path(&mut self) -> Result<Path, Refused> {
        let mut path = vec![self.name()?];
        while self.takes(".") {
            path.push(self.name()?);
        }
        if matches!(self.peek(), Some(Token::Sign("("))) {
            return Err(Refused::unsupported("a function in an expression"));
        }
        Ok(Path(path))
    }

    fn name(&mut self) -> Result<String, Refused> {
        match self.take()? {
            Token::Word(word) => Ok(word.to_owned()),
            Token::Alias(alias) => (self.names)(alias),
            Token::Value(_) | Token::Sign(_) => Err(Refused::validation("an expression lacks a name")),
        }
    }
}
