//! Full disks, on the server and on the client.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sterna::pg::Embedded;
use sterna::pg::embedded::Options;

use super::scenario::Scenario;
use crate::cites::{Installation, file_of, good, rows_of, shipment};
use crate::server::{Finished, eventually};
use crate::tries::Tries;

/// The error for a full disk on the server.
const FULL: &str = "the server's disk is full: could not ";
const MAKE_ROOM_THERE: &str =
    "hint: free space on the server's disk, then run the same command with --resume";
const MAKE_ROOM_HERE: &str =
    "hint: free space on that disk, then run the same command with --resume";
const PAGE: u64 = 4_096;

/// A small file system in memory, mounted only for a process that lives as long as this one or
/// the test: nothing is left behind.
struct SmallDisk {
    holder: Child,
    /// Where other processes see it.
    path: PathBuf,
    _mountpoint: tempfile::TempDir,
}

impl SmallDisk {
    /// Owned by the owner of `like`. None, with a loud message, if it cannot be mounted.
    fn mount(like: &Path) -> Option<Self> {
        match Self::try_mount(like) {
            Ok(disk) => Some(disk),
            Err(why) => {
                // Bypasses the output capture of passing tests.
                let text =
                    format!("SKIPPED: full disks are not tested, as none can be mounted: {why}\n");
                std::io::stderr().write_all(text.as_bytes()).unwrap();
                None
            }
        }
    }

    fn try_mount(like: &Path) -> Result<Self, String> {
        let owner = fs::metadata(like).unwrap();
        let mountpoint = tempfile::tempdir().unwrap();
        // Its user must be able to look into the holder's root.
        let script = "mount -t tmpfs -o size=32m,mode=0700,uid=$1,gid=$2 tmpfs \"$3\" && \
            exec setpriv --reuid=$1 --regid=$2 --clear-groups sh -c 'echo mounted; exec cat'";
        let holder = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
            .args([owner.uid().to_string(), owner.gid().to_string()])
            .arg(mountpoint.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut holder = holder.map_err(|e| format!("unshare: {e}"))?;
        let mut said = [0; 8];
        if holder.stdout.as_mut().unwrap().read_exact(&mut said).is_err() {
            let why = Finished::from(holder.wait_with_output().unwrap()).stderr;
            return Err(why.trim().to_owned());
        }
        assert_eq!(&said, b"mounted\n");
        let root = PathBuf::from(format!("/proc/{}/root", holder.id()));
        let path = root.join(mountpoint.path().strip_prefix("/").unwrap());
        Ok(SmallDisk { holder, path, _mountpoint: mountpoint })
    }

    /// Fills the disk, leaving this many bytes free.
    fn fill(&self, but: u64) {
        let mut ballast = File::create(self.ballast()).unwrap();
        let full = loop {
            if let Err(error) = ballast.write_all(&[1; PAGE as usize]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        let length = ballast.metadata().unwrap().len();
        ballast.set_len((length - but) / PAGE * PAGE).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ended = (self.holder.kill(), self.holder.wait());
    }
}

#[tokio::test]
async fn the_servers_disk_is_full() {
    let server = Embedded::start(&Options::default()).unwrap();
    let Some(disk) = SmallDisk::mount(&server.data_folder()) else { return };
    let (scenario, mut tries) = (Scenario::of(&server).await, Tries::new(2));
    let session = scenario.connect().await;
    // Connections that extended the table at the same time have left empty pages.
    session.batch_execute("VACUUM FULL public.cites_trade_records_staging").await.unwrap();
    let sizes = "SELECT pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
        WHERE relname = 'cites_trade_records_staging'";
    let sizes = session.query_one(sizes, &[]).await.unwrap();
    let (rows, indexes): (i64, i64) = (sizes.get(0), sizes.get(1));
    let (rows, indexes) = (rows.cast_unsigned(), indexes.cast_unsigned());
    let tablespace = format!("CREATE TABLESPACE small LOCATION '{}'", disk.path.display());
    session.batch_execute(&tablespace).await.unwrap();
    let place = "ALTER DATABASE production SET default_tablespace = small";
    session.batch_execute(place).await.unwrap();
    drop(session);
    for turn in 0..tries.times {
        let (what, said) = (format!("turn {turn}"), scenario.path("stderr"));
        let mut command = scenario.afresh();
        command.stdout(Stdio::null()).stderr(File::create(&said).unwrap());
        let broken = match turn % 3 {
            // Space is freed while the load retries.
            0 => {
                disk.fill(rows / 2);
                let mut child = command.spawn().unwrap();
                let is_told = || fs::read_to_string(&said).unwrap().contains(FULL);
                eventually("the load finds the disk full", is_told);
                disk.make_room();
                child.wait().unwrap()
            }
            // There is room for the rows, but not for the indexes.
            1 => {
                disk.fill(rows + indexes / 2);
                command.status().unwrap()
            }
            _ => {
                disk.fill(rows / 2);
                command.status().unwrap()
            }
        };
        let stderr = fs::read_to_string(&said).unwrap();
        let broken = Finished { code: broken.code(), stdout: String::new(), stderr };
        assert_eq!(broken.code, Some(i32::from(turn % 3 > 0)), "{what}: {broken:?}");
        scenario.judge(&mut tries, &what, &broken, &[&[FULL]]);
        if turn % 3 > 0 {
            assert!(broken.stderr.contains(MAKE_ROOM_THERE), "{what}: {broken:?}");
            disk.make_room();
        }
        scenario.resume(&what).await;
    }
    tries.tell("full disks of the server");
}

/// Good records, each followed by a bad one whose reject takes more than a page.
fn half_bad() -> (String, String) {
    let records: Vec<String> = good(300);
    let long = "x".repeat(PAGE as usize);
    let bad = |id: usize| shipment(&[("Id", &format!("b{id}")), ("Year", "x"), ("Unit", &long)]);
    let all = records.iter().enumerate().flat_map(|(id, good)| [good.clone(), bad(id)]);
    (file_of(&all.collect::<Vec<_>>()), file_of(&records))
}

const BASE: [&str; 7] =
    ["in.csv", "--all", "--max-rejects", "100%", "--batch-size", "10", "--resume"];

/// Loads half-bad records with a modified command.
async fn try_client(rejects: &str, change: impl FnOnce(&mut Command)) -> (Installation, Finished) {
    let here = Installation::new().await;
    here.file("in.csv", half_bad().0);
    let mut command = here.command(&[&BASE[..], &["--rejects", rejects]].concat());
    change(&mut command);
    let broken = Finished::from(command.output().unwrap());
    (here, broken)
}

/// Resumes with the rejects in this file, and compares it and staging with what was loaded.
async fn resume_client(here: &Installation, rejects: &Path) {
    let rejects = rejects.display().to_string();
    let report = here.report(0, &[&BASE[..], &["--verify", "--rejects", &rejects]].concat());
    assert_eq!((&report["rows_loaded"], &report["verified"]), (&300.into(), &true.into()));
    assert!(here.staging().await == rows_of(&half_bad().1));
    let written = crate::cites::csv_records(Path::new(&rejects));
    let id = written[0].iter().position(|field| field == "Id").unwrap();
    let mut found: Vec<_> = written[1..].iter().map(|record| record[id].clone()).collect();
    let mut expected: Vec<_> = (0..300).map(|id| format!("b{id}")).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_disk_for_rejects_is_full() {
    let Some(disk) = SmallDisk::mount(Path::new("/proc/self")) else { return };
    let file = disk.path.join("rejects.csv").display().to_string();
    for but in [0, 10 * PAGE] {
        disk.fill(but);
        let (here, broken) = try_client(&file, |_| {}).await;
        assert_eq!(broken.code, Some(1), "{broken:?}");
        let error = format!("error: {file}: No space left on device (os error 28)\n");
        assert!(broken.stderr.contains(&error), "{broken:?}");
        assert!(broken.stderr.contains(MAKE_ROOM_HERE), "{broken:?}");
        disk.make_room();
        resume_client(&here, Path::new(&file)).await;
        fs::remove_file(&file).unwrap();
    }
}

#[tokio::test]
async fn what_is_written_to_a_full_device_is_named() {
    let (here, broken) = try_client("/dev/full", |_| {}).await;
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert!(broken.stderr.contains("error: /dev/full: No space left on device"), "{broken:?}");
    assert!(broken.stderr.contains(MAKE_ROOM_HERE), "{broken:?}");
    resume_client(&here, &here.path("rejects.csv")).await;

    let full = || File::options().write(true).open("/dev/full").unwrap();
    let (here, broken) = try_client("a.csv", |command| {
        command.stdout(full());
    })
    .await;
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert!(broken.stderr.contains("error: stdout: No space left on device"), "{broken:?}");
    resume_client(&here, &here.path("a.csv")).await;

    // The lost log cannot be reported anywhere; the load is what counts.
    let (here, loaded) = try_client("a.csv", |command| {
        command.arg("-vv").stderr(full());
    })
    .await;
    assert_eq!(loaded.code, Some(0), "{loaded:?}");
    resume_client(&here, &here.path("a.csv")).await;
}
