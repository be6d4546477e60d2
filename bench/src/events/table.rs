//! The table of `docs/benchmarks.md`: medians, with the least and the most in brackets.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use super::system::System;

/// What the rounds of a run measured of one thing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The middle one, or the mean of the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
        match (sorted.get(low), sorted.get(high)) {
            (Some(low), Some(high)) => f64::midpoint(*low, *high),
            _ => f64::NAN,
        }
    }

    /// Round by round, how much of `other`'s this is.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    fn written(&self, digits: usize) -> String {
        let sorted = self.sorted();
        let median = number(self.median(), digits);
        match (sorted.first(), sorted.last()) {
            (Some(least), Some(most)) if sorted.len() > 1 => {
                format!(
                    "{median} ({} to {})",
                    number(*least, digits),
                    number(*most, digits)
                )
            }
            _ => median,
        }
    }
}

/// Of each system.
pub(crate) type Measured = BTreeMap<System, Samples>;

/// With spaces between groups of three digits.
fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(w, r)| (w, Some(r)));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
}

/// What is said of a row, and whether that is as it should be.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    text: String,
    met: Option<bool>,
}

impl Verdict {
    pub(crate) fn at_least(what: &str, value: f64, goal: f64) -> Self {
        Self {
            text: format!("{value:.2} {what} (goal: at least {goal:.2})"),
            met: Some(value >= goal),
        }
    }

    pub(crate) fn at_most(what: &str, value: f64, goal: f64) -> Self {
        Self {
            text: format!("{value:.2} {what} (goal: at most {goal:.2})"),
            met: Some(value <= goal),
        }
    }

    pub(crate) fn note(text: String) -> Self {
        Self { text, met: None }
    }

    /// Says nothing of a goal where, for one of the systems that it is about, `late` is more than half of `times`: then the
    /// times are rather the driver's than the system's.
    pub(crate) fn unless_driver_bound(self, times: &Measured, late: &Measured, of: &[System]) -> Self {
        let bound = of.iter().find(|system| {
            let median = |measured: &Measured| measured.get(system).map(Samples::median);
            median(late)
                .zip(median(times))
                .is_some_and(|(late, time)| late > time / 2.0)
        });
        match bound {
            None => self,
            Some(system) => Self::note(format!(
                "{}: driver-bound ({system:?} was posted to {:.2} ms late)",
                self.text,
                late[system].median()
            )),
        }
    }

    fn written(&self) -> String {
        let verdict = match self.met {
            Some(true) => ": met",
            Some(false) => ": **missed**",
            None => "",
        };
        format!("{}{verdict}", self.text)
    }
}

/// All rows so far.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<String>,
    notes: Vec<String>,
    missed: usize,
}

impl Table {
    /// A row. Values are shown with so many digits behind the point.
    pub(crate) fn row(&mut self, what: &str, digits: usize, measured: &Measured, verdicts: &[Verdict]) {
        let mut row = format!("| {what} |");
        for system in [
            System::Chatbridge,
            System::Floor,
            System::Nchan,
            System::Centrifugo,
        ] {
            let samples = measured.get(&system).filter(|samples| !samples.0.is_empty());
            let _ = write!(
                row,
                " {} |",
                samples.map_or_else(|| "–".to_owned(), |s| s.written(digits))
            );
        }
        let said: Vec<String> = verdicts.iter().map(Verdict::written).collect();
        let _ = write!(row, " {} |", said.join("; "));
        self.missed += verdicts
            .iter()
            .filter(|verdict| verdict.met == Some(false))
            .count();
        eprintln!("{row}");
        self.rows.push(row);
    }

    /// A line below the table.
    pub(crate) fn note(&mut self, text: String) {
        eprintln!("{text}");
        self.notes.push(text);
    }

    /// As Markdown, with the machine and the run it is of.
    pub(crate) fn print(&self, parts: &[&str], quick: bool) {
        println!("{}", machine());
        println!();
        let run = if quick {
            "A short run (`--quick`)"
        } else {
            "A full run"
        };
        println!("{run} of {}.", parts.join(", "));
        println!();
        println!("| figure | Chatbridge | floor | Nchan | Centrifugo | ratios and goals |");
        println!("| --- | --- | --- | --- | --- | --- |");
        for row in &self.rows {
            println!("{row}");
        }
        println!();
        for note in &self.notes {
            println!("- {note}");
        }
        println!("- Goals missed in this run: {}.", self.missed);
    }
}

/// What the run was made on, in a line.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(key, _)| key.trim() == name);
        found.map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let gib = memory
        .split_whitespace()
        .next()
        .and_then(|kib| kib.parse::<f64>().ok())
        .map_or(0.0, |kib| kib / f64::from(1 << 20));
    let redis = std::process::Command::new("redis-server")
        .arg("--version")
        .output();
    let redis = redis.map_or_else(
        |_| "unknown".to_owned(),
        |told| {
            let text = String::from_utf8_lossy(&told.stdout).into_owned();
            let version = text.split_whitespace().find_map(|word| word.strip_prefix("v="));
            version.unwrap_or("unknown").to_owned()
        },
    );
    format!(
        "Machine: {} with {cores} cores and {gib:.0} GiB, Linux {}, Redis {redis}.",
        field(&read("/proc/cpuinfo"), "model name"),
        read("/proc/sys/kernel/osrelease").trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_median_with_its_range() {
        assert_eq!(Samples(vec![3.0, 1.0, 2.0]).written(1), "2.0 (1.0 to 3.0)");
        assert_eq!(
            Samples(vec![12_345.0, 1_234_567.0]).written(0),
            "623 456 (12 345 to 1 234 567)"
        );
        assert_eq!(Samples(vec![0.5]).written(2), "0.50");
    }

    #[test]
    fn a_goal_is_left_open_where_the_driver_was_late() {
        let of = |ms: f64| Measured::from([(System::Floor, Samples(vec![ms]))]);
        let judged = |late: f64| {
            let goal = Verdict::at_most("ms", 1.0, 2.0);
            goal.unless_driver_bound(&of(10.0), &of(late), &[System::Chatbridge, System::Floor])
                .written()
        };
        assert!(judged(5.0).ends_with(": met"));
        assert!(judged(5.1).contains("driver-bound"));
        assert!(!judged(5.1).contains("met"));
    }

    #[test]
    fn a_goal_is_met_or_missed() {
        assert!(
            Verdict::at_least("of the floor", 0.6, 0.6)
                .written()
                .ends_with(": met")
        );
        assert!(
            Verdict::at_most("ms", 20.1, 20.0)
                .written()
                .ends_with(": **missed**")
        );
    }
}
