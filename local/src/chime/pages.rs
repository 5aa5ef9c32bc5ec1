//! Listings in pages: tokens that mean nothing to anybody else, and where each goes on.

use super::choices::{Choices, ListOrder, TokenPageSize, TokenReuse};
use super::faults::FaultKind;
use super::http::ApiError;
use super::random::Random;
use super::routes::{Operation, Routed};
use std::collections::{HashMap, VecDeque};

/// Members of a page, where the request does not say. Source: the service model.
const PAGE_DEFAULT: usize = 100;

/// The most members of a page. Source: the service model.
const PAGE_MOST: usize = 200;

/// How many tokens are known at once; older ones have expired.
const TOKENS_KEPT: usize = 100_000;

/// The tokens that were given and not yet taken back.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    given: HashMap<String, Ticket>,
    oldest_first: VecDeque<String>,
    random: Random,
}

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ticket {
    operation: Operation,
    account: Option<String>,
    from: u64,
    size: usize,
}

/// One page of a listing: where it starts, and how much it shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// The position it starts at; `None`: at the listing's own start.
    pub(super) from: Option<u64>,
    /// How many members it shows.
    pub(super) size: usize,
    /// How many members it leaves out before it starts.
    pub(super) skip: usize,
    /// The newest come first.
    pub(super) newest_first: bool,
}

impl Tokens {
    pub(super) fn new(seed: u64) -> Tokens {
        Tokens { given: HashMap::new(), oldest_first: VecDeque::new(), random: Random::new(seed) }
    }

    /// The page that a request asks for. Spends its token.
    pub(super) fn page(&mut self, routed: &Routed, choices: &Choices) -> Result<Page, ApiError> {
        let asked = match routed.asked("max-results").map(str::parse::<usize>) {
            None => None,
            Some(Ok(size)) if (1..=PAGE_MOST).contains(&size) => Some(size),
            Some(_) => {
                return Err(ApiError::constraint("MaxResults", &format!("must be a number from 1 to {PAGE_MOST}")));
            }
        };
        let newest_first = choices.list_order == ListOrder::NewestFirst;
        if !routed.has_token() {
            return Ok(Page { from: None, size: asked.unwrap_or(PAGE_DEFAULT), skip: 0, newest_first });
        }
        let ticket = self.redeem(routed, choices)?;
        // AWS's own samples send a token without `max-results`.
        let carried = match choices.token_page_size {
            TokenPageSize::Carried => ticket.size,
            TokenPageSize::Default => PAGE_DEFAULT,
        };
        let mut page = Page { from: Some(ticket.from), size: asked.unwrap_or(carried), skip: 0, newest_first };
        match routed.fault {
            Some(FaultKind::ListShrinks { by }) => page.skip = usize::try_from(by).unwrap_or(usize::MAX),
            Some(FaultKind::ListReorders) => page.newest_first = !newest_first,
            Some(_) | None => {}
        }
        Ok(page)
    }

    fn redeem(&mut self, routed: &Routed, choices: &Choices) -> Result<Ticket, ApiError> {
        let refused = |why: &str| Err(ApiError::bad_request(format!("NextToken: {why}")));
        match routed.fault {
            Some(FaultKind::TokenExpired) => return refused("has expired"),
            Some(FaultKind::TokenForged) => return refused("is not one that this service gave"),
            Some(_) | None => {}
        }
        let token = routed.asked("next-token").unwrap_or_default();
        let fits = |ticket: &&Ticket| ticket.operation == routed.operation && ticket.account == routed.account;
        let Some(ticket) = self.given.get(token).filter(fits).cloned() else {
            return refused("is not one that this service gave for this listing, or was used before");
        };
        if choices.token_reuse == TokenReuse::Refused {
            self.given.remove(token);
        }
        Ok(ticket)
    }

    /// A token for what comes next.
    pub(super) fn give(&mut self, routed: &Routed, page: Page, from: u64) -> String {
        let token = format!("{:016x}{:016x}", self.random.number(), self.random.number());
        let ticket = Ticket { operation: routed.operation, account: routed.account.clone(), from, size: page.size };
        if self.oldest_first.len() >= TOKENS_KEPT
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.given.remove(&oldest);
        }
        self.oldest_first.push_back(token.clone());
        self.given.insert(token.clone(), ticket);
        token
    }

    /// No token is good any more.
    pub(super) fn forget(&mut self) {
        self.given.clear();
        self.oldest_first.clear();
    }
}
