//! The configuration as text.

use serde::Serialize;

use super::screen::{laid_out, table};
use crate::cli::config::InForce;

/// The effective configuration.
#[derive(Clone, Debug, Serialize)]
pub struct Configuration {
    /// The file that was read; null if there is none.
    pub file: Option<String>,
    /// The database that a command would connect to, without secrets; or the reason why it
    /// cannot be determined.
    pub database: String,
    /// Every option that has a value.
    pub options: Vec<InForce>,
}

/// The effective options, by command.
#[must_use]
pub fn text(configuration: &Configuration) -> String {
    let mut table = table(["option", "value", "from"], 0..0);
    for option in &configuration.options {
        let command = option.command.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
        table.add_row([
            format!("{command}--{}", option.option),
            option.values.join(", "),
            option.from.clone(),
        ]);
    }
    format!(
        "file      {}\ndatabase  {}\n\n{}\n",
        configuration.file.as_deref().unwrap_or("none; sterna.toml or --config would be read"),
        configuration.database,
        laid_out(table),
    )
}
