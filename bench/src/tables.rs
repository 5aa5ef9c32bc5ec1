//! The tables: the ledger as `template.yaml` has it, whose indexes cost units, and a plain one for the plain function.

/// Name of the ledger.
pub(crate) const LEDGER: &str = "ledger";

/// Name of the plain function's table.
pub(crate) const NAIVE: &str = "naive";
