//! Objects that refer to the table by its OID and not by its name, and would go on using the
//! old table: views, rules, policies of other tables, parsed routines, and everything with
//! the row type in its signature.
//!
//! Most are altered in place and keep everything that depends on them. An object that cannot
//! be altered in place is created again next to the old one, and its dependents are pointed at
//! the new one. Then nothing depends on the old one, which is dropped with RESTRICT.

use futures::future::try_join_all;
use tokio_postgres::types::Type;

use super::properties;
use crate::error::Result;
use crate::pg::{CatalogText, Connection, Parameter, Prepared, Session, Typed, Volley, fill};

/// A column whose type differs in the incoming table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChangedColumn {
    pub(super) name: String,
    pub(super) type_oid: u32,
    pub(super) type_modifier: i32,
    pub(super) before: String,
    pub(super) after: String,
}

/// Statements that point all dependents at the incoming table.
#[derive(Clone, Debug, Default)]
pub(super) struct Redirection {
    /// Before the renames: renames what cannot be altered in place.
    pub(super) step_aside: Vec<String>,
    /// After the renames, in order of dependency.
    pub(super) point: Vec<String>,
    /// Last: drops what was renamed.
    pub(super) drop: Option<String>,
    /// After the commit: analyzes materialized views, or computes them as well.
    pub(super) finish: Vec<String>,
    /// Materialized views that are computed under the lock.
    pub(super) computed: Vec<u32>,
    /// Relations that will be altered: a view comes before the relations that it reads.
    pub(super) relations: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Dependent {
    kind: Kind,
    class: u32,
    oid: u32,
    /// The relation that it is, or belongs to.
    relation: Option<u32>,
    made_anew: bool,
    /// A description.
    what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    View,
    MaterializedView,
    Rule,
    Policy,
    Default,
    Trigger,
    Routine,
    RowTypeRoutine,
}

impl Kind {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "view" => Kind::View,
            "materialized view" => Kind::MaterializedView,
            "rule" => Kind::Rule,
            "policy" => Kind::Policy,
            "default" => Kind::Default,
            "trigger" => Kind::Trigger,
            "routine" => Kind::Routine,
            "row type routine" => Kind::RowTypeRoutine,
            _ => return None,
        })
    }

    /// The query that writes the statements to point it at the new table, keeping its OID.
    fn in_place(self) -> &'static str {
        match self {
            Kind::View | Kind::MaterializedView => {
                include_str!("../../sql/switchover/dependent/view.sql")
            }
            Kind::Rule => include_str!("../../sql/switchover/dependent/rule.sql"),
            Kind::Policy => include_str!("../../sql/switchover/dependent/policy.sql"),
            Kind::Default => include_str!("../../sql/switchover/dependent/default.sql"),
            Kind::Trigger => include_str!("../../sql/switchover/dependent/trigger.sql"),
            Kind::Routine | Kind::RowTypeRoutine => {
                include_str!("../../sql/switchover/dependent/routine.sql")
            }
        }
    }
}

/// Everything that depends on a table, directly or through what must be created again.
#[derive(Clone, Debug, Default)]
pub(super) struct Dependents {
    /// Those to create again, each before what uses it; then the others.
    all: Vec<Dependent>,
    /// Descriptions of those that cannot be altered.
    pub(super) unsupported: Vec<String>,
}

/// Something that a switchover alters along with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Altered {
    /// A description.
    pub what: String,
    /// The OID of the role that owns it or the relation that it belongs to.
    pub owner: u32,
}

/// Dependents of a table that have to be altered when it is replaced.
#[derive(Clone, Debug, Default)]
pub struct Alterations {
    /// Those that will be altered.
    pub altered: Vec<Altered>,
    /// Descriptions of those that would have to be altered and cannot be.
    pub unsupported: Vec<String>,
}

/// Lists what a switchover of a table would alter besides the table.
///
/// # Errors
/// If the catalog cannot be read.
pub async fn alterations(session: &Session, table: u32) -> Result<Alterations> {
    let Dependents { all, unsupported } = find(session, table, &[]).await?;
    let (oids, relations): (Vec<u32>, Vec<u32>) =
        all.iter().map(|d| (d.oid, d.relation.unwrap_or(0))).unzip();
    let sql = include_str!("../../sql/switchover/dependent/owners.sql");
    let owners = session.query(sql, &[&oids, &relations]).await?;
    let altered = all.into_iter().zip(owners).filter_map(|(dependent, row)| {
        let owner: Option<u32> = row.get(0);
        owner.map(|owner| Altered { what: dependent.what, owner })
    });
    Ok(Alterations { altered: altered.collect(), unsupported })
}

/// Finds everything that depends on a table and decides what must be created again.
pub(super) async fn find(
    session: &Session,
    table: u32,
    changed: &[ChangedColumn],
) -> Result<Dependents> {
    let (type_oids, modifiers): (Vec<u32>, Vec<i32>) =
        changed.iter().map(|c| (c.type_oid, c.type_modifier)).unzip();
    let (mut relations, mut routines) = (vec![table], Vec::new());
    let mut again = Vec::new();
    loop {
        let parameters: [&dyn Typed; 4] = [&relations, &routines, &type_oids, &modifiers];
        let rows = session.query(FIND, &parameters).await?;
        let mut unsupported = Vec::new();
        let mut in_place = Vec::new();
        let before = again.len();
        for row in rows {
            let Some(kind) = Kind::parse(row.get(0)) else {
                unsupported.push(row.get(4));
                continue;
            };
            let made_anew = match kind {
                Kind::MaterializedView | Kind::RowTypeRoutine => true,
                Kind::View => row.get(5),
                _ => false,
            };
            let (class, oid, relation) = (row.get(1), row.get(2), row.get(3));
            let dependent = Dependent { kind, class, oid, relation, made_anew, what: row.get(4) };
            if !made_anew {
                in_place.push(dependent);
                continue;
            }
            if kind == Kind::RowTypeRoutine {
                routines.push(oid);
            } else {
                relations.push(oid);
            }
            again.push(dependent);
        }
        // What is created again has dependents of its own.
        if again.len() == before {
            let mut all = in_order(session, again).await?;
            all.append(&mut in_place);
            return Ok(Dependents { all, unsupported });
        }
    }
}

/// Finds everything that depends on replaced objects.
const FIND: &str = include_str!("../../sql/switchover/dependent/find.sql");

/// Prepares the condition that nothing depends on a table any more.
pub(super) async fn prepare_condition(
    session: &Connection,
) -> Result<Prepared, tokio_postgres::Error> {
    let condition = include_str!("../../sql/switchover/condition/nothing-left.sql");
    let sql = fill(condition, &[("find", &CatalogText::from_catalog(FIND))]);
    let oids = Type::OID_ARRAY;
    Prepared::new(session, sql, &[oids.clone(), oids.clone(), oids, Type::INT4_ARRAY]).await
}

/// Adds to a volley the condition that nothing depends on these relations any more.
pub(super) fn add_condition(volley: &mut Volley, condition: &Prepared, relations: Vec<u32>) {
    let nothing = Vec::<u32>::new;
    let parameters: Vec<Parameter> = vec![
        Box::new(relations),
        Box::new(nothing()),
        Box::new(nothing()),
        Box::new(Vec::<i32>::new()),
    ];
    volley.execute(condition, parameters);
}

/// Sorts dependents so that each comes after what it uses.
async fn in_order(session: &Session, mut rest: Vec<Dependent>) -> Result<Vec<Dependent>> {
    let sql = include_str!("../../sql/switchover/dependent/edges.sql");
    let (classes, oids): (Vec<u32>, Vec<u32>) = rest.iter().map(|d| (d.class, d.oid)).unzip();
    let rows = session.query(sql, &[&classes, &oids]).await?;
    let mut edges: Vec<(u32, u32)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut ordered = Vec::new();
    while !rest.is_empty() {
        let is_free = |d: &Dependent| !edges.iter().any(|(user, _)| *user == d.oid);
        // A cycle cannot be resolved here; the server will reject it.
        let next = rest.iter().position(is_free).unwrap_or(0);
        let dependent = rest.remove(next);
        edges.retain(|(_, used)| *used != dependent.oid);
        ordered.push(dependent);
    }
    Ok(ordered)
}

impl Dependents {
    /// Descriptions of those that are not views which are altered in place.
    pub(super) fn other_than_views(&self) -> Vec<String> {
        let other = self.all.iter().filter(|d| d.kind != Kind::View || d.made_anew);
        other.map(|d| d.what.clone()).chain(self.unsupported.iter().cloned()).collect()
    }

    /// Generates the statements that point all of them at the incoming table, while the live
    /// one still has its name. With `refresh_after`, materialized views are computed after
    /// the commit.
    pub(super) async fn redirection(
        &self,
        session: &Session,
        refresh_after: bool,
    ) -> Result<Redirection> {
        let mut to = Redirection::default();
        let in_place = self.all.iter().filter(|dependent| !dependent.made_anew);
        let in_place = in_place.map(|d| session.query_one(d.kind.in_place(), &[&d.oid]));
        let mut in_place = try_join_all(in_place).await?.into_iter();
        for dependent in &self.all {
            if !dependent.made_anew {
                to.point.extend(in_place.next().map_or_else(Vec::new, |row| row.get(0)));
                continue;
            }
            let is_routine = dependent.kind == Kind::RowTypeRoutine;
            let sql = if is_routine {
                include_str!("../../sql/switchover/dependent/new-routine.sql")
            } else {
                include_str!("../../sql/switchover/dependent/new-relation.sql")
            };
            let aside = format!("sterna_aside_{}", dependent.oid);
            let row = session.query_one(sql, &[&dependent.oid, &aside]).await?;
            to.step_aside.extend(row.get::<_, Vec<String>>(0));
            to.point.extend(row.get::<_, Vec<String>>(1));
            if is_routine {
                continue;
            }
            to.point.extend(properties::of_view(session, dependent.oid).await?.attach);
            if let Some(refresh) = row.get(2) {
                let when = if refresh_after { &mut to.finish } else { &mut to.point };
                when.push(refresh);
                to.finish.extend(row.get::<_, Option<String>>(3));
                to.computed.extend((!refresh_after).then_some(dependent.oid));
            }
        }
        let aside = self.all.iter().filter(|d| d.made_anew).rev();
        let (classes, oids): (Vec<u32>, Vec<u32>) = aside.map(|d| (d.class, d.oid)).unzip();
        if !oids.is_empty() {
            let sql = include_str!("../../sql/switchover/dependent/drop-old.sql");
            to.drop = Some(session.query_one(sql, &[&classes, &oids]).await?.get(0));
        }
        let mut relations: Vec<u32> = self.all.iter().filter_map(|d| d.relation).collect();
        // A reader locks the view that it names before the relations that the view reads.
        relations.reverse();
        relations.dedup();
        to.relations = relations;
        Ok(to)
    }
}
