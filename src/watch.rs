//! Watching and stopping a running load, inspection or validation, and the memory that it used.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The progress of a running load, inspection or validation, and the flag that stops it.
#[derive(Debug, Default)]
pub struct Watch {
    /// Set it to stop cleanly.
    pub stop: AtomicBool,
    /// Counts of the work done so far.
    pub counters: Counters,
    /// Bytes to read, as recorded in the files; 0 while nothing is being read.
    pub total_bytes: AtomicU64,
    phase: AtomicU8,
    doing: Mutex<String>,
}

/// Counts that can be watched while the pipeline runs.
#[derive(Debug, Default)]
pub struct Counters {
    /// Bytes read, after decompression.
    pub bytes_read: AtomicU64,
    /// Records read.
    pub rows_read: AtomicU64,
    /// Records whose batch is finished, whatever became of them.
    pub rows_done: AtomicU64,
    /// Rows committed.
    pub rows_loaded: AtomicU64,
    /// Bytes of rows sent to the server and committed.
    pub bytes_sent: AtomicU64,
}

impl Counters {
    /// Resets all counts to zero.
    pub(crate) fn reset(&self) {
        let Counters { bytes_read, rows_read, rows_done, rows_loaded, bytes_sent } = self;
        for counter in [bytes_read, rows_read, rows_done, rows_loaded, bytes_sent] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// The current phase of a load, an inspection, a validation or a benchmark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Phase {
    /// Examining inputs and target.
    #[default]
    Preparing,
    /// Reading, encoding, writing.
    Loading,
    /// Reading staging back.
    Verifying,
    /// Matching rows with production.
    Matching,
    /// Building indexes and statistics.
    Indexing,
    /// Reading and examining records, without writing.
    Inspecting,
    /// Checking rows that were loaded.
    Validating,
    /// Timing queries.
    Timing,
}

impl Watch {
    /// Sets the current phase, and the number of bytes to read in it.
    pub(crate) fn enter(&self, phase: Phase, total_bytes: u64) {
        self.total_bytes.store(total_bytes, Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.tell("");
    }

    /// Sets what is being done within the phase.
    pub(crate) fn tell(&self, doing: &str) {
        doing.clone_into(&mut self.doing.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What is being done within the phase; empty if it has no parts.
    #[must_use]
    pub fn doing(&self) -> String {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The current phase.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            1 => Phase::Loading,
            2 => Phase::Verifying,
            3 => Phase::Matching,
            4 => Phase::Indexing,
            5 => Phase::Inspecting,
            6 => Phase::Validating,
            7 => Phase::Timing,
            _ => Phase::Preparing,
        }
    }
}

/// The peak memory of this process, in bytes.
pub(crate) fn peak_memory_bytes() -> u64 {
    use nix::sys::resource::{UsageWho, getrusage};
    // On Linux, getrusage includes the peak inherited from the parent process; VmHWM is this
    // process's own.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let own = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    if let Some(kib) = own.and_then(|own| own.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
    {
        return kib * 1024;
    }
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss().cast_unsigned() * unit)
}
