//! What a rehearsal looked like, as a picture.

use std::fs;
use std::path::{Path, PathBuf};

use e2e::plot::{Chart, Line, Plot, svg};

use crate::rehearsing::sampling::Sample;
use crate::rehearsing::{mebibytes, per};

/// Draws it and says where.
pub(crate) fn draw(samples: &[Sample], many: u64, speed: u32) -> PathBuf {
    let title = format!("An hour of {many} connections, {speed} times as fast as real time");
    let description = description(samples);
    let plot = Plot {
        title: &title,
        description: &description,
        across: "minutes by the clock that is moved",
        charts: charts(samples),
    };
    let path = path();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, svg(&plot)).unwrap();
    path
}

/// Three charts over the minutes of the clock.
fn charts(samples: &[Sample]) -> Vec<Chart<'static>> {
    let minute = |it: &Sample| it.clock.as_secs_f64() / 60.0;
    let line = |name: &'static str, value: fn(&Sample) -> f64| {
        let points = samples.iter().map(|it| (minute(it), value(it))).collect();
        Line { name, points }
    };
    let rate = |name: &'static str, count: fn(&Sample) -> u64| {
        let value = |it: &[Sample]| {
            per(count(&it[1]) - count(&it[0]), it[1].real.saturating_sub(it[0].real))
        };
        let points = samples.windows(2).map(|it| (minute(&it[1]), value(it))).collect();
        Line { name, points }
    };
    let lag = line("lag", |it| it.lag.as_secs_f64());
    let rates = vec![rate("refreshes", |it| it.refreshed), rate("errors", |it| it.failed)];
    let memory = line("memory", |it| mebibytes(it.resident));
    vec![
        Chart {
            title: "How long the first that is due has waited, seconds by the clock",
            lines: vec![lag],
        },
        Chart { title: "Refreshes and errors in a second of real time", lines: rates },
        Chart { title: "Memory of the process, MiB", lines: vec![memory] },
    ]
}

/// The same in a few words.
fn description(samples: &[Sample]) -> String {
    let Some(last) = samples.last() else { return String::new() };
    let lag = samples.iter().map(|it| it.lag).max().unwrap_or_default();
    let memory = samples.iter().map(|it| it.resident).max().unwrap_or_default();
    format!(
        "Three charts over the minutes of the hour. What is due waits for at most {:.1} seconds by the clock. \
         {:.0} refreshes in a second of real time on average, {} in all, and {} failed attempts. \
         Memory is at most {:.0} MiB.",
        lag.as_secs_f64(),
        per(last.refreshed, last.real),
        last.refreshed,
        last.failed,
        mebibytes(memory)
    )
}

/// Among the pictures of the documentation, if somebody wants it there.
fn path() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let kept = std::env::var("KEEPFRESH_PICTURES").is_ok_and(|it| it == "write");
    root.join(if kept { "docs/pictures/rehearsal.svg" } else { "target/rehearsal.svg" })
}
