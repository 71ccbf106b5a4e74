//! What goes on using the old table, by its identity and not by its name, unless it is
//! told otherwise: views, rules, policies of other tables, parsed routines, whatever
//! has the row type in its signature.
//!
//! Most are changed in place, and keep all that hangs on them. What cannot be changed
//! in place is created again beside the old one, its dependents are pointed at the new
//! one, and then nothing depends on the old one, which goes with RESTRICT.

use futures::future::try_join_all;
use tokio_postgres::types::Type;

use super::properties;
use crate::error::Result;
use crate::pg::{CatalogText, Connection, Prepared, Session, Typed, Volley, fill};

/// A column that has another type in the incoming table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChangedColumn {
    pub(super) name: String,
    pub(super) type_oid: u32,
    pub(super) type_modifier: i32,
    pub(super) before: String,
    pub(super) after: String,
}

/// Statements that point all dependents at the table that comes in.
#[derive(Clone, Debug, Default)]
pub(super) struct Redirection {
    /// Before the renames: what cannot be changed in place steps aside.
    pub(super) step_aside: Vec<String>,
    /// After the renames, in the order of dependence.
    pub(super) point: Vec<String>,
    /// At last: drops what stepped aside.
    pub(super) drop: Option<String>,
    /// After the commit: statistics of what was computed, or all of it.
    pub(super) finish: Vec<String>,
    /// Materialized views that are computed under the lock.
    pub(super) computed: Vec<u32>,
    /// Relations that will be changed, those first that others read through.
    pub(super) relations: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Dependent {
    kind: Kind,
    class: u32,
    oid: u32,
    /// The relation that it is or belongs to.
    relation: Option<u32>,
    made_anew: bool,
    /// In words.
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

    /// What has it use the new table, by its own identity.
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

/// What depends on a table, directly or through what must be created again.
#[derive(Clone, Debug, Default)]
pub(super) struct Dependents {
    /// Each before what uses it, as far as it is created again; the others last.
    all: Vec<Dependent>,
    /// What nothing can be done about, described.
    pub(super) unsupported: Vec<String>,
}

/// Something that a switchover alters along with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Altered {
    /// What it is, in words.
    pub what: String,
    /// The OID of the role that owns it, or the relation that it belongs to.
    pub owner: u32,
}

/// What depends on a table and has to be altered when it is replaced.
#[derive(Clone, Debug, Default)]
pub struct Alterations {
    /// What will be altered.
    pub altered: Vec<Altered>,
    /// What would have to be and cannot, in words.
    pub unsupported: Vec<String>,
}

/// Lists what a switchover of a table would alter besides the table.
///
/// # Errors
/// Where the catalog cannot be read.
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

/// Finds what depends on a table, and decides what must be created again.
pub(super) async fn find(
    session: &Session,
    table: u32,
    changed: &[ChangedColumn],
) -> Result<Dependents> {
    let (type_oids, modifiers): (Vec<u32>, Vec<i32>) =
        changed.iter().map(|c| (c.type_oid, c.type_modifier)).unzip();
    let mut replaced = Replaced::of(session, table).await?;
    let mut again = Vec::new();
    loop {
        let (classes, oids): (Vec<u32>, Vec<u32>) = replaced.objects.iter().copied().unzip();
        let parameters: [&dyn Typed; 5] =
            [&classes, &oids, &replaced.types, &type_oids, &modifiers];
        let mut unsupported = Vec::new();
        let mut in_place = Vec::new();
        let before = again.len();
        for row in session.query(FIND, &parameters).await? {
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
                replaced.objects.push((class, oid));
            } else {
                replaced.add_relation(session, oid).await?;
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

/// Objects that will be others after the switchover.
#[derive(Clone, Debug, Default)]
pub(super) struct Replaced {
    /// Catalog and OID.
    objects: Vec<(u32, u32)>,
    /// Row types and arrays of them.
    types: Vec<u32>,
}

/// Finds what depends on replaced objects.
const FIND: &str = include_str!("../../sql/switchover/dependent/find.sql");

impl Replaced {
    /// A table with its row type.
    pub(super) async fn of(session: &Session, table: u32) -> Result<Self> {
        let mut replaced = Replaced::default();
        replaced.add_relation(session, table).await?;
        Ok(replaced)
    }

    /// Sends the condition to be parsed that nothing depends on replaced objects any more.
    pub(super) async fn prepare_condition(session: &Connection) -> Result<Prepared> {
        let condition = include_str!("../../sql/switchover/condition/nothing-left.sql");
        let sql = fill(condition, &[("find", &CatalogText::from_catalog(FIND))]);
        let oids = Type::OID_ARRAY;
        let types = [oids.clone(), oids.clone(), oids.clone(), oids, Type::INT4_ARRAY];
        Ok(Prepared::new(session, sql, &types).await?)
    }

    /// Adds to a volley that nothing depends on these objects any more.
    pub(super) fn add_condition(&self, volley: &mut Volley, condition: &Prepared) {
        let (classes, oids): (Vec<u32>, Vec<u32>) = self.objects.iter().copied().unzip();
        volley.execute(
            condition,
            vec![
                Box::new(classes),
                Box::new(oids),
                Box::new(self.types.clone()),
                Box::new(Vec::<u32>::new()),
                Box::new(Vec::<i32>::new()),
            ],
        );
    }

    async fn add_relation(&mut self, session: &Session, oid: u32) -> Result<()> {
        let sql = include_str!("../../sql/switchover/dependent/table.sql");
        let row = session.query_one(sql, &[&oid]).await?;
        let (class, type_class): (u32, u32) = (row.get(0), row.get(1));
        self.objects.push((class, oid));
        for row_type in [row.get(2), row.get(3)] {
            self.objects.push((type_class, row_type));
            self.types.push(row_type);
        }
        Ok(())
    }
}

/// Puts each behind what it uses.
async fn in_order(session: &Session, mut rest: Vec<Dependent>) -> Result<Vec<Dependent>> {
    let sql = include_str!("../../sql/switchover/dependent/edges.sql");
    let (classes, oids): (Vec<u32>, Vec<u32>) = rest.iter().map(|d| (d.class, d.oid)).unzip();
    let rows = session.query(sql, &[&classes, &oids]).await?;
    let mut edges: Vec<(u32, u32)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut ordered = Vec::new();
    while !rest.is_empty() {
        let is_free = |d: &Dependent| !edges.iter().any(|(user, _)| *user == d.oid);
        // Two that use each other would be in the way of themselves; the server says so.
        let next = rest.iter().position(is_free).unwrap_or(0);
        let dependent = rest.remove(next);
        edges.retain(|(_, used)| *used != dependent.oid);
        ordered.push(dependent);
    }
    Ok(ordered)
}

impl Dependents {
    /// Writes the statements that point all of them at the incoming table, while the
    /// live one still bears its name. With `refresh_after`, materialized views are computed
    /// after the commit.
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
        // A reader locks the view that it names before what that one reads.
        relations.reverse();
        relations.dedup();
        to.relations = relations;
        Ok(to)
    }
}
