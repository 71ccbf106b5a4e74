//! sterna replaces a PostgreSQL table from files: fast, provably and reversibly.
//!
//! Files are loaded into a staging table next to the table that they replace ([`load`]),
//! and every record is accounted for; [`validate`] checks the rows; [`switchover`] swaps
//! the two tables in one transaction, and can swap them back.
//! [`migrate::Migration`] runs the whole plan and can be resumed, [`migrate::rollback`]
//! undoes it, and [`rehearse::Rehearsal`] tries both on a copy.
//! Everything takes options and returns values; only [`mod@cli`], behind the feature `cli`,
//! prints.
//!
//! # A load with validation
//!
//! On an embedded server ([`pg::embedded`]), with a model of the database that sterna was
//! made for:
//!
//! ```
//!
//! use sterna::load::{LoadOptions, load};
//! use sterna::pg::embedded::{Embedded, ModelSchema, Options};
//! use sterna::pg::{Ident, Table, connect};
//! use sterna::species::{NewSpecies, add};
//! use sterna::table::staging;
//! use sterna::validate::{ValidateOptions, validate};
//! use sterna::watch::Watch;
//! use uuid::Uuid;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Embedded::start(&Options::default())?;
//! let info = server.conninfo("trade");
//! let table = Table::new("public", "cites_trade_records")?;
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! runtime.block_on(async {
//!     server.create_database(&Ident::new("trade")?, None).await?;
//!     let mut session = connect(&info).await?;
//!     ModelSchema::Production.install(&session).await?;
//!     let ranks = [
//!         ("common_name", "polar bear"),
//!         ("kingdom", "Animalia"),
//!         ("phylum", "Chordata"),
//!         ("class", "Mammalia"),
//!         ("order_name", "Carnivora"),
//!         ("family", "Ursidae"),
//!     ];
//!     let bear = NewSpecies {
//!         scientific_name: "Ursus maritimus".to_owned(),
//!         values: ranks.map(|(column, value)| (column.to_owned(), value.to_owned())).into(),
//!         like: None,
//!     };
//!     staging::pair(&mut session, &table).await?;
//!     add(&mut session, &table, &bear, Uuid::new_v4()).await?;
//!     session.close().await
//! })?;
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("release.csv");
//! std::fs::write(
//!     &file,
//!     "Id,Year,Appendix,Taxon,Class,Order,Family,Genus,Term,Quantity,Unit,Importer,Exporter,\
//!      Origin,Purpose,Source,Reporter.type,Import.permit.RandomID,Export.permit.RandomID,\
//!      Origin.permit.RandomID\n\
//!      1,2024,II,Ursus maritimus,Mammalia,Carnivora,Ursidae,Ursus,skins,2,,DE,CA,,T,W,I,,,\n\
//!      2,2024,II,Larus argentatus,Aves,Charadriiformes,Laridae,Larus,bodies,1,,DE,CA,,S,W,I,,,\n",
//! )?;
//!
//! let options = LoadOptions::new(table.clone(), vec![file.display().to_string()]);
//! let loaded = load(&info, &options, &Watch::default())?;
//! let account = loaded.report.rows.account;
//! assert_eq!((account.rows_read, account.rows_loaded, account.rows_unmapped), (2, 1, 1));
//!
//! let mut options = ValidateOptions::new(table);
//! options.expect_rows = Some(1);
//! let found = runtime.block_on(validate(&info, &options, &Watch::default()))?;
//! assert!(found.passed, "{:?}", found.failed());
//! # Ok(())
//! # }
//! ```
//!
//! `examples/migrate.rs` runs whole migrations and a rollback in a program with its own output.
//!
//! `ARCHITECTURE.md` describes the modules and the rules between them.

pub mod application;
pub mod backup;
pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
pub mod command_line;
pub mod estimate;
pub mod history;
pub mod input;
pub mod inspect;
pub mod ledger;
pub mod load;
pub mod migrate;
pub mod preflight;
pub mod private;
pub mod prune;
pub mod rehearse;
mod runtime;
pub mod species;
pub mod switchover;
pub mod table;
pub mod trust;
pub mod validate;
pub mod watch;

pub use sterna_cites as cites;
pub use sterna_error as error;
pub use sterna_error::{Error, Kind, Result};
pub use sterna_pg as pg;
