//! Conditions and updates, evaluated on one item.

use super::Refused;
use super::attribute::{Attribute, Item};
use super::syntax::{self, Comparison, Condition, Operand, Path, Update};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The names and values of one request's expressions. What it gives and does not use is an error, as in the service.
pub(super) struct Given {
    names: Map<String, Value>,
    values: Item,
    used: RefCell<BTreeSet<String>>,
}

impl Given {
    /// Takes the names and values out of a request.
    pub(super) fn take(request: &mut Map<String, Value>) -> Result<Given, Refused> {
        let mut object = |name: &str| match request.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(Refused::validation("names and values of an expression must be objects")),
        };
        let (names, values) = (object("ExpressionAttributeNames")?, object("ExpressionAttributeValues")?);
        Ok(Given { names, values: super::attribute::item(values)?, used: RefCell::default() })
    }

    fn name(&self, alias: &str) -> Result<String, Refused> {
        self.used.borrow_mut().insert(alias.to_owned());
        let name = self.names.get(alias).and_then(Value::as_str);
        name.map(str::to_owned).ok_or_else(|| Refused::validation("an expression uses a name that is not defined"))
    }

    fn value(&self, name: &str) -> Result<&Attribute, Refused> {
        self.values.get(name).ok_or_else(|| Refused::validation("an expression uses a value that is not defined"))
    }

    /// Reads a condition, where there is one.
    pub(super) fn condition(&self, text: Option<&str>) -> Result<Option<Condition>, Refused> {
        let condition = text.map(|text| syntax::condition(text, &mut |alias| self.name(alias))).transpose()?;
        if let Some(condition) = &condition {
            self.use_condition(condition)?;
        }
        Ok(condition)
    }

    /// Reads an update.
    pub(super) fn update(&self, text: &str) -> Result<Update, Refused> {
        let update = syntax::update(text, &mut |alias| self.name(alias))?;
        update.sets.iter().try_for_each(|(_, operand)| self.use_operand(operand))?;
        let mut paths: Vec<&[String]> = update.sets.iter().map(|(path, _)| path.0.as_slice()).collect();
        paths.extend(update.removes.iter().map(|path| path.0.as_slice()));
        paths.sort_unstable();
        if paths.windows(2).any(|pair| pair[1].starts_with(pair[0])) {
            return Err(Refused::validation("two document paths overlap"));
        }
        Ok(update)
    }

    /// Refuses what is given and not used.
    pub(super) fn check_used(&self) -> Result<(), Refused> {
        let used = self.used.borrow();
        if self.names.keys().chain(self.values.keys()).all(|name| used.contains(name)) {
            return Ok(());
        }
        Err(Refused::validation("a name or value is given and not used in an expression"))
    }

    fn use_condition(&self, condition: &Condition) -> Result<(), Refused> {
        match condition {
            Condition::Exists(_) | Condition::NotExists(_) => Ok(()),
            Condition::Compare(left, _, right) => {
                self.use_operand(left)?;
                self.use_operand(right)
            }
            Condition::And(left, right) | Condition::Or(left, right) => {
                self.use_condition(left)?;
                self.use_condition(right)
            }
            Condition::Not(inner) => self.use_condition(inner),
        }
    }

    fn use_operand(&self, operand: &Operand) -> Result<(), Refused> {
        match operand {
            Operand::Path(_) => Ok(()),
            Operand::Value(name) => {
                self.used.borrow_mut().insert(name.clone());
                self.value(name).map(|_| ())
            }
            Operand::IfNotExists(_, otherwise) => self.use_operand(otherwise),
            Operand::Sum { left, right, .. } => {
                self.use_operand(left)?;
                self.use_operand(right)
            }
        }
    }

    /// Whether a condition holds on an item, which may be absent.
    pub(super) fn holds(&self, condition: &Condition, item: Option<&Item>) -> Result<bool, Refused> {
        match condition {
            Condition::Exists(path) => Ok(find(item, path).is_some()),
            Condition::NotExists(path) => Ok(find(item, path).is_none()),
            Condition::Compare(left, comparison, right) => {
                let (left, right) = (self.operand(left, item)?, self.operand(right, item)?);
                Ok(match (left, right) {
                    (Some(left), Some(right)) => compare(&left, *comparison, &right),
                    // Something that is not there is unequal to everything, and neither less nor more.
                    (Some(_) | None, Some(_) | None) => *comparison == Comparison::Unequal,
                })
            }
            Condition::And(left, right) => Ok(self.holds(left, item)? && self.holds(right, item)?),
            Condition::Or(left, right) => Ok(self.holds(left, item)? || self.holds(right, item)?),
            Condition::Not(inner) => self.holds(inner, item).map(|holds| !holds),
        }
    }

    fn operand(&self, operand: &Operand, item: Option<&Item>) -> Result<Option<Attribute>, Refused> {
        match operand {
            Operand::Path(path) => Ok(find(item, path).cloned()),
            Operand::Value(name) => self.value(name).cloned().map(Some),
            Operand::IfNotExists(path, otherwise) => match find(item, path) {
                Some(found) => Ok(Some(found.clone())),
                None => self.operand(otherwise, item),
            },
            Operand::Sum { left, right, minus } => {
                let number = |side: &Operand| match self.operand(side, item)? {
                    Some(Attribute::Number(number)) => Ok(number),
                    Some(_) => Err(Refused::validation("an operand of a sum is no number")),
                    None => Err(Refused::validation("an expression refers to an attribute that is not there")),
                };
                let (left, right) = (number(left)?, number(right)?);
                let sum = if *minus { left.checked_sub(right) } else { left.checked_add(right) };
                sum.map(|sum| Some(Attribute::Number(sum))).ok_or_else(|| Refused::unsupported("a sum beyond 64 bits"))
            }
        }
    }

    /// The item after an update. Every right side is evaluated on the item before it.
    pub(super) fn updated(&self, update: &Update, before: &Item) -> Result<Item, Refused> {
        let mut after = before.clone();
        for (path, operand) in &update.sets {
            let value = self.operand(operand, Some(before))?;
            let value =
                value.ok_or_else(|| Refused::validation("an expression refers to an attribute that is not there"))?;
            let (map, last) = parent(&mut after, path)?;
            map.insert(last.to_owned(), value);
        }
        for path in &update.removes {
            let (map, last) = parent(&mut after, path)?;
            map.remove(last);
        }
        Ok(after)
    }
}

fn find<'a>(item: Option<&'a Item>, path: &Path) -> Option<&'a Attribute> {
    let (first, rest) = path.0.split_first()?;
    rest.iter().try_fold(item?.get(first)?, |value, name| value.map()?.get(name))
}

fn parent<'a, 'p>(item: &'a mut Item, path: &'p Path) -> Result<(&'a mut Item, &'p str), Refused> {
    let invalid = || Refused::validation("a document path is invalid for update");
    let (last, outer) = path.0.split_last().ok_or_else(invalid)?;
    let mut map = item;
    for name in outer {
        map = match map.get_mut(name) {
            Some(Attribute::Map(inner)) => inner,
            Some(_) | None => return Err(invalid()),
        };
    }
    Ok((map, last))
}

fn compare(left: &Attribute, comparison: Comparison, right: &Attribute) -> bool {
    let order = match (left, right) {
        (Attribute::Text(left), Attribute::Text(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (Attribute::Number(left), Attribute::Number(right)) => Some(left.cmp(right)),
        // The ledger orders neither bytes nor documents.
        (_, _) => None,
    };
    match comparison {
        Comparison::Equal => left == right,
        Comparison::Unequal => left != right,
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}
