//! Progress on stderr: a bar on a terminal, a line every few seconds elsewhere.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{
    HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle,
};

use super::screen::is_coloured;
use super::to_stderr;
use crate::cli::Progress;
use crate::estimate;
use crate::migrate::Total;
use crate::watch::{Phase, Watch};

/// How often a bar is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// How often a line is written without a terminal: by default, and with `--progress always`.
const LINE_EVERY: Duration = Duration::from_secs(5);
const LINE_EVERY_ASKED: Duration = Duration::from_secs(1);

/// How long batches are watched before their rate means something.
const RATE_AFTER: Duration = Duration::from_secs(1);

/// Progress shown by a separate thread.
pub struct Shown(Option<(Arc<AtomicBool>, JoinHandle<()>)>);

impl Shown {
    /// Starts showing the progress in `watch`.
    #[must_use]
    pub fn start(progress: Progress, watch: &Arc<Watch>) -> Self {
        Shown::start_before(progress, watch, None)
    }

    /// The same before something that takes so long: as soon as the rate of the first batches is
    /// known, says how long everything will take.
    #[must_use]
    pub fn start_before(progress: Progress, watch: &Arc<Watch>, then: Option<Total>) -> Self {
        let bars = match progress {
            Progress::Never => return Shown(None),
            Progress::Always | Progress::Auto => std::io::stderr().is_terminal(),
        };
        let asked = progress == Progress::Always;
        let every = if asked { LINE_EVERY_ASKED } else { LINE_EVERY };
        let done = Arc::new(AtomicBool::new(false));
        let (watch, ended) = (Arc::clone(watch), Arc::clone(&done));
        let thread = std::thread::spawn(move || match bars {
            true => draw(&watch, &ended, then),
            false => write_lines(&watch, &ended, every, then),
        });
        Shown(Some((done, thread)))
    }

    /// Stops the thread and clears the bar.
    pub fn finish(self) {
        if let Some((done, thread)) = self.0 {
            done.store(true, Ordering::Relaxed);
            thread.thread().unpark();
            // A panic while drawing must not hide the result.
            let _ = thread.join();
        }
    }
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Preparing => "preparing",
        Phase::Loading => "loading",
        Phase::Verifying => "verifying",
        Phase::Matching => "matching",
        Phase::Indexing => "indexing",
        Phase::Inspecting => "inspecting",
        Phase::Validating => "validating",
        Phase::Timing => "timing",
    }
}

/// Whether the phase reads input, so that its size gives the progress.
fn is_reading(phase: Phase) -> bool {
    matches!(phase, Phase::Loading | Phase::Inspecting)
}

/// Seconds until all batches are finished, once the first of them show a rate.
fn seconds_left(watch: &Watch, elapsed: Duration) -> Option<f64> {
    let total = watch.total_bytes.load(Ordering::Relaxed);
    let share = (bytes_done(watch) as f64 / total.max(1) as f64).min(1.0);
    (share > 0.01).then(|| elapsed.as_secs_f64() * (1.0 - share) / share)
}

/// How long the rows take by the rate of the first batches, and everything with what follows.
/// Returned once.
fn corrected(watch: &Watch, elapsed: Duration, then: &mut Option<Total>) -> Option<String> {
    if watch.phase() != Phase::Loading || elapsed < RATE_AFTER {
        return None;
    }
    let left = seconds_left(watch, elapsed)?;
    let mut all = then.take()?;
    all.estimated_seconds += left;
    let rate = HumanCount(rate(watch.counters.rows_done.load(Ordering::Relaxed), elapsed));
    let (left, all) = (estimate::duration(left), all.describe());
    Some(format!("     at {rate} rows/s, the rows take {left} more; time left: {all}\n"))
}

fn draw(watch: &Watch, done: &AtomicBool, mut then: Option<Total>) {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let with_bytes = match is_coloured(&std::io::stderr()) {
        true => "{prefix:10} {wide_bar:.cyan/dim} {bytes}/{total_bytes} {msg} ETA {eta}",
        false => "{prefix:10} {wide_bar} {bytes}/{total_bytes} {msg} ETA {eta}",
    };
    let plain = "{prefix:10} {spinner} {elapsed} {msg}";
    let mut last = None;
    while !done.load(Ordering::Relaxed) {
        let phase = watch.phase();
        if last != Some(phase) {
            let template = if is_reading(phase) { with_bytes } else { plain };
            // First, because each setter draws. If the template did not parse, the default style
            // would be used.
            bar.set_style(
                ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_prefix(name(phase));
            bar.set_message("");
            bar.set_length(watch.total_bytes.load(Ordering::Relaxed));
            bar.reset();
            last = Some(phase);
        }
        if phase == Phase::Validating {
            bar.set_message(watch.doing());
        }
        // Never back: the share of what is read that is done may fall.
        let done = bytes_done(watch).max(bar.position());
        bar.set_position(done.min(bar.length().unwrap_or(0)));
        let done = watch.counters.rows_done.load(Ordering::Relaxed);
        if phase == Phase::Loading && done > 0 {
            // Short enough to leave room for a bar on 80 columns.
            let rate = HumanCount(rate(done, bar.elapsed()));
            bar.set_message(format!("{} rows, {rate} rows/s", HumanCount(done)));
        }
        if let Some(line) = corrected(watch, bar.elapsed(), &mut then) {
            bar.suspend(|| to_stderr(format_args!("{line}")));
        }
        bar.tick();
        std::thread::park_timeout(DRAW_EVERY);
    }
    bar.finish_and_clear();
}

fn write_lines(watch: &Watch, done: &AtomicBool, every: Duration, mut then: Option<Total>) {
    let begun = Instant::now();
    let mut phase_begun = begun;
    let mut last_line = begun;
    let mut last = watch.phase();
    while !done.load(Ordering::Relaxed) {
        std::thread::park_timeout(DRAW_EVERY);
        let phase = watch.phase();
        if phase != last {
            (last, phase_begun) = (phase, Instant::now());
        }
        if let Some(line) = corrected(watch, phase_begun.elapsed(), &mut then) {
            to_stderr(format_args!("{line}"));
        }
        if last_line.elapsed() < every {
            continue;
        }
        last_line = Instant::now();
        let bytes = bytes_done(watch);
        let total = watch.total_bytes.load(Ordering::Relaxed);
        let elapsed = phase_begun.elapsed();
        let left = seconds_left(watch, elapsed).filter(|_| is_reading(phase));
        let eta = left.map_or_else(String::new, |left| {
            format!(", {} left", HumanDuration(Duration::from_secs_f64(left)))
        });
        let (name, so_far) = (name(phase), HumanDuration(elapsed));
        if phase == Phase::Loading {
            let (bytes, total) = (HumanBytes(bytes), HumanBytes(total));
            to_stderr(format_args!("{name}: {}, {bytes} of {total}{eta}\n", rows(watch, elapsed)));
        } else {
            let doing = watch.doing();
            let doing = if doing.is_empty() { doing } else { format!("{doing}, ") };
            to_stderr(format_args!("{name}: {doing}for {so_far}\n"));
        }
    }
}

/// The bytes of the records whose batch is finished. Reading is ahead by many batches if the server
/// is far away, so bytes read would promise too early an end.
fn bytes_done(watch: &Watch) -> u64 {
    let [bytes, read, done] =
        [&watch.counters.bytes_read, &watch.counters.rows_read, &watch.counters.rows_done]
            .map(|counter| counter.load(Ordering::Relaxed) as f64);
    (bytes * (done / read.max(1.0)).min(1.0)) as u64
}

/// Rows per second; 0 in the first 0.2 seconds, when a rate means nothing.
fn rate(rows: u64, elapsed: Duration) -> u64 {
    let seconds = elapsed.as_secs_f64();
    if seconds < 0.2 { 0 } else { (rows as f64 / seconds) as u64 }
}

fn rows(watch: &Watch, elapsed: Duration) -> String {
    let read = watch.counters.rows_read.load(Ordering::Relaxed);
    let loaded = watch.counters.rows_loaded.load(Ordering::Relaxed);
    let rate = rate(watch.counters.rows_done.load(Ordering::Relaxed), elapsed);
    let done = if watch.phase() == Phase::Inspecting { "fit" } else { "loaded" };
    format!(
        "{} rows read, {} {done}, {} rows/s",
        HumanCount(read),
        HumanCount(loaded),
        HumanCount(rate)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_read_is_not_done() {
        let watch = Watch::default();
        assert_eq!(bytes_done(&watch), 0);
        for (counter, value) in [
            (&watch.counters.bytes_read, 8000),
            (&watch.counters.rows_read, 100),
            (&watch.counters.rows_done, 25),
        ] {
            counter.store(value, Ordering::Relaxed);
        }
        assert_eq!(bytes_done(&watch), 2000);
        watch.counters.rows_done.store(100, Ordering::Relaxed);
        assert_eq!(bytes_done(&watch), 8000);
    }

    #[test]
    fn the_rate_of_the_first_batches_corrects_what_is_left_once() {
        let watch = Watch::default();
        watch.enter(Phase::Loading, 8000);
        let mut then = Some(Total::default());
        let elapsed = Duration::from_secs(30);
        assert_eq!(corrected(&watch, elapsed, &mut then), None, "nothing is finished yet");
        for (counter, value) in [
            (&watch.counters.bytes_read, 2000),
            (&watch.counters.rows_read, 600),
            (&watch.counters.rows_done, 600),
        ] {
            counter.store(value, Ordering::Relaxed);
        }
        let line = corrected(&watch, elapsed, &mut then).unwrap();
        assert!(line.contains("20 rows/s") && line.contains("90 s more"), "{line}");
        assert_eq!(corrected(&watch, elapsed, &mut then), None, "it has been said");
    }
}
