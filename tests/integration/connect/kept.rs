//! Sessions that are kept when they are closed: the next user finds them like new.

use sterna::pg::{ConnInfo, Connection, connect, connect_for};
use tokio::runtime::Handle;

use crate::server::TestDb;

const PID: &str = "SELECT pg_backend_pid()";

async fn pid(session: &Connection) -> i32 {
    session.query_one(PID, &[]).await.unwrap().get(0)
}

fn keeping(info: &ConnInfo) -> ConnInfo {
    info.keeping_sessions(Handle::current())
}

/// What a session has and another one should not find.
const STATE: &str = "SELECT concat_ws('; ',
    current_setting('search_path'), current_setting('row_security'),
    current_setting('default_transaction_read_only'), current_setting('plan_cache_mode'),
    current_setting('statement_timeout'), current_setting('restrict_nonsystem_relation_kind', true),
    current_setting('jit'), session_user, current_user, to_regclass('pg_temp.t'),
    (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'),
    (SELECT count(*) FROM pg_cursors), (SELECT count(*) FROM pg_listening_channels()),
    current_setting('client_connection_check_interval'), current_setting('tcp_user_timeout'))";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_kept_session_is_like_a_new_one() {
    let db = TestDb::empty().await;
    db.psql("CREATE ROLE kept_other").await;
    let info = keeping(db.info());
    let session = connect(&info).await.unwrap();
    let (first, new) = (pid(&session).await, session.query_one(STATE, &[]).await.unwrap());
    session
        .batch_execute(
            "SET search_path = 'x'; SET row_security = off; SET plan_cache_mode = force_generic_plan;
             SET default_transaction_read_only = on; SET statement_timeout = '1s'; SET jit = on;
             SET client_connection_check_interval = 0; SET tcp_user_timeout = 1;
             LISTEN something; CREATE TEMPORARY TABLE t (); SELECT pg_advisory_lock(1, 2);
             SELECT pg_advisory_lock_shared(3); DECLARE c CURSOR WITH HOLD FOR SELECT 1;
             SET SESSION AUTHORIZATION kept_other; SET ROLE kept_other",
        )
        .await
        .unwrap();
    session.close().await.unwrap();

    let again = connect(&info).await.unwrap();
    assert_eq!(pid(&again).await, first);
    let found = again.query_one(STATE, &[]).await.unwrap();
    assert_eq!(found.get::<_, &str>(0), new.get::<_, &str>(0));
    again.close().await.unwrap();
    info.close_kept().await;
    let gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
    let other = db.connect().await;
    while other.query_one(gone, &[&first]).await.unwrap().get::<_, i64>(0) > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    drop(other);
    db.psql("DROP ROLE kept_other").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_bears_its_purpose_until_it_is_closed() {
    let db = TestDb::empty().await;
    let info = keeping(&db.info().with_application_name("nightly"));
    let name = async |session: &Connection| -> String {
        let named = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        session.query_one(named, &[]).await.unwrap().get(0)
    };
    let session = connect_for(&info, "backup").await.unwrap();
    let first = pid(&session).await;
    assert_eq!(name(&session).await, "nightly: backup");
    session.name("check 1 of 2");
    assert_eq!(name(&session).await, "nightly: check 1 of 2");
    session.close().await.unwrap();
    let again = connect(&info).await.unwrap();
    assert_eq!((pid(&again).await, name(&again).await), (first, "nightly".to_owned()));
    again.close().await.unwrap();
    info.close_kept().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_that_is_not_fit_for_others_does_not_come_back() {
    let db = TestDb::empty().await;
    let info = keeping(db.info());
    for unfit in ["BEGIN", "BEGIN; SELECT 1 / 0", "SELECT pg_terminate_backend(pg_backend_pid())"] {
        let session = connect(&info).await.unwrap();
        let before = pid(&session).await;
        let _may_fail = session.batch_execute(unfit).await;
        let _may_fail = session.close().await;
        let next = connect(&info).await.unwrap();
        assert_ne!(pid(&next).await, before, "{unfit}");
        next.close().await.unwrap();
        info.close_kept().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sessions_are_kept_for_the_same_place_and_role_only() {
    let db = TestDb::empty().await;
    let info = keeping(db.info());
    let session = connect(&info).await.unwrap();
    let before = pid(&session).await;
    session.close().await.unwrap();
    for other in [
        info.with_application_name("other"),
        info.with_database("postgres"),
        info.for_own_sessions(),
        keeping(db.info()),
    ] {
        let session = connect(&other).await.unwrap();
        assert_ne!(pid(&session).await, before);
        session.close().await.unwrap();
        other.close_kept().await;
    }
    // Those that are in use at a time are different ones.
    let [one, two] = [connect(&info).await.unwrap(), connect(&info).await.unwrap()];
    assert_eq!(pid(&one).await, before);
    assert_ne!(pid(&two).await, before);
    one.close().await.unwrap();
    two.close().await.unwrap();
    info.close_kept().await;
}
