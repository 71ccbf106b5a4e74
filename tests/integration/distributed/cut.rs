//! Something happens at a statement of an exchange of distributed tables: it fails, the client is
//! cut off, the sessions of the workers or of the coordinator end, or nobody hears that it was
//! committed. The table is then the one or the other, on all nodes, with every write; and the same
//! command completes.
//!
//! `STERNA_FAULTS_TIMES` says at how many statements; by default at some of them.

use std::io::copy;
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sterna::pg::{ConnInfo, connect};
use tokio::sync::mpsc;

use super::citus::Citus;
use crate::relay::{Relay, Verdict};
use crate::server::{Finished, sterna, text_of};
use crate::tries::Tries;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strike {
    Fail,
    Cut,
    Workers,
    Coordinator,
    Mute,
}

const ALL: [Strike; 5] =
    [Strike::Fail, Strike::Workers, Strike::Cut, Strike::Coordinator, Strike::Mute];

const SESSIONS_OF_WORKERS: &str = "SELECT sum(result::integer) FROM run_command_on_workers($$
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND application_name LIKE 'citus_internal%' AND xact_start IS NOT NULL $$)";
const SESSION_OF_COORDINATOR: &str = "SELECT count(pg_terminate_backend(l.pid, 5000))
    FROM pg_locks AS l
    WHERE l.relation = 'public.cites_trade_records'::regclass
        AND l.mode IN ('ShareRowExclusiveLock', 'AccessExclusiveLock') AND l.granted";

impl Citus {
    /// A socket that leads to the coordinator.
    fn socket(&self) -> PathBuf {
        let path = self.folder.path().join(".s.PGSQL.5432");
        if path.exists() {
            return path;
        }
        let listener = UnixListener::bind(&path).unwrap();
        let server = self.url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                let (mut to, mut from) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ended = copy(&mut from, &mut to);
                    let _closed = to.shutdown(Shutdown::Both);
                });
                let (mut to, mut from) = (client, server);
                std::thread::spawn(move || {
                    let _ended = copy(&mut from, &mut to);
                    let _closed = to.shutdown(Shutdown::Both);
                });
            }
        });
        path
    }

    /// Runs a command to which this happens; nothing if it came to its end before.
    async fn struck(&self, args: &[&str], at: usize, strike: Strike) -> Option<Finished> {
        let struck = Arc::new(AtomicBool::new(false));
        let (strikes, (asks, mut asked)) = (Arc::clone(&struck), mpsc::unbounded_channel());
        let (answers, answered) = std::sync::mpsc::channel::<()>();
        let first = "IN SHARE ROW EXCLUSIVE MODE";
        let relay = Relay::before(&self.socket(), first, move |number, text| {
            let here = match strike {
                Strike::Mute => text == "COMMIT",
                _ => number == at,
            };
            if number == 0 || !here || strikes.swap(true, Ordering::SeqCst) {
                return Verdict::Pass;
            }
            match strike {
                Strike::Fail => Verdict::Fail,
                Strike::Cut => Verdict::Cut,
                Strike::Mute => {
                    asks.send(()).unwrap();
                    Verdict::Mute
                }
                Strike::Workers | Strike::Coordinator => {
                    asks.send(()).unwrap();
                    answered.recv().unwrap();
                    Verdict::Pass
                }
            }
        });
        let who = self.url.split("//").nth(1).unwrap().split('@').next().unwrap();
        let name = self.url.split('@').nth(1).unwrap().split('/').nth(1).unwrap();
        let name = name.split('?').next().unwrap();
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let mut command = sterna(args);
        command.env("DATABASE_URL", format!("dbname={name}")).env("PGPORT", "5432");
        command.env("PGHOST", relay.host()).env("PGUSER", user).env("PGPASSWORD", password);
        command.current_dir(self.folder.path());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let client = command.spawn().unwrap();
        let pid = nix::unistd::Pid::from_raw(client.id().cast_signed());
        let ran = tokio::task::spawn_blocking(move || client.wait_with_output().unwrap());
        let info = ConnInfo::resolve(Some(&self.url), &|_| None).unwrap();
        let other = connect(&info).await.unwrap();
        let finished = {
            tokio::pin!(ran);
            tokio::select! {
                done = &mut ran => Finished::from(done.unwrap()),
                Some(()) = asked.recv() => {
                    match strike {
                        Strike::Workers => {
                            tokio::time::sleep(Duration::from_millis(30)).await;
                            text_of(&other, SESSIONS_OF_WORKERS).await.unwrap();
                        }
                        Strike::Coordinator => {
                            tokio::time::sleep(Duration::from_millis(30)).await;
                            text_of(&other, SESSION_OF_COORDINATOR).await.unwrap();
                        }
                        _ => {
                            tokio::time::sleep(Duration::from_secs(3)).await;
                            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
                        }
                    }
                    let _waits = answers.send(());
                    Finished::from(ran.await.unwrap())
                }
            }
        };
        struck.load(Ordering::SeqCst).then_some(finished)
    }

    /// Whether the table is the new one.
    async fn is_new(&self) -> bool {
        let state = "SELECT state FROM sterna.switchover ORDER BY switched_at DESC LIMIT 1";
        self.sql(state).await == "switched"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_is_made_on_all_nodes_or_on_none() {
    let Some(citus) = Citus::new().await else { return };
    let path = citus.folder.path().join("few.csv");
    std::fs::write(&path, crate::cites::generated(500, 7)).unwrap();
    citus.sterna(&["stage", "create"]).expect_code(0);
    citus.report(&[path.to_str().unwrap(), "--all", "--on-inexact", "round"]);
    let before = citus.fingerprint().await;
    let commands: [&[&str]; 2] =
        [&["switchover", "--accept-failed-validation"], &["rollback", "switchover"]];
    let mut tries = Tries::new(5);
    let mut marks = 0;
    // About as many statements as an exchange has.
    let step = (40 / tries.times.clamp(1, 40)).max(1);
    for at in (0..tries.times).map(|turn| 1 + turn * step) {
        for (number, command) in commands.into_iter().enumerate() {
            let strike =
                ALL[(usize::try_from(at).unwrap() / usize::try_from(step).unwrap() + number) % 5];
            let what = format!("{strike:?} at {at} of {command:?}");
            marks += 1;
            let mark = format!(
                "INSERT INTO cites_trade_records (species_id, record_id, year, appendix, taxon, term)
                SELECT id, 'mark {marks}', 2020, 'II', scientific_name, 'mark' FROM species
                ORDER BY id LIMIT 1"
            );
            citus.sql(&mark).await;
            let was = number == 1;
            let struck = citus.struck(command, usize::try_from(at).unwrap(), strike).await;
            // What the coordinator has decided reaches workers that were away for it.
            citus.sql("SELECT recover_prepared_transactions()").await;
            let is_new = citus.is_new().await;
            let Some(struck) = struck else {
                assert_ne!(is_new, was, "{what}");
                continue;
            };
            tries.broken += u64::from(struck.code != Some(0));
            assert!(matches!(struck.code, None | Some(0 | 1)), "{what}: {struck:#?}");
            // Whoever is killed at COMMIT may have been trying once more for a lock.
            if matches!(strike, Strike::Fail | Strike::Cut) {
                assert_eq!(is_new, was, "{what}: {struck:#?}");
            }
            assert!(struck.code != Some(0) || is_new != was, "{what}: {struck:#?}");
            if struck.code == Some(1) {
                assert!(struck.stderr.contains("hint: "), "{what}: {struck:#?}");
            }
            let valid = async |is_new: bool| {
                citus.assert_on_all_nodes(&what).await;
                assert_eq!(before.differences(&citus.fingerprint().await), [], "{what}");
                let kept = "SELECT count(*) FROM cites_trade_records WHERE term = 'mark'";
                assert_eq!(citus.sql(kept).await, marks.to_string(), "{what}");
                let others = "SELECT count(*) FROM cites_trade_records WHERE term <> 'mark'";
                let rows = if is_new { "500" } else { "0" };
                assert_eq!(citus.sql(others).await, rows, "{what}");
            };
            valid(is_new).await;
            if is_new == was {
                citus.sterna(command).expect_code(0);
            } else {
                // What was left to do, or nothing.
                let again = citus.sterna(command);
                assert!(matches!(again.code, Some(0 | 6)), "{what}: {again:#?}");
            }
            assert_ne!(citus.is_new().await, was, "{what}");
            valid(!was).await;
        }
    }
    tries.tell("strikes at exchanges of distributed tables");
    citus.sql("DROP SCHEMA sterna CASCADE").await;
}
