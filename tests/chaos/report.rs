//! The table.

use std::time::Duration;

use crate::{scenario::Scenario, verdict::Verdict};

const HEAD: [&str; 14] = [
    "scenario",
    "promised",
    "acknowledged",
    "delivered",
    "doubled",
    "lost",
    "not in log",
    "gaps",
    "slowest 503",
    "taken in",
    "heard in",
    "silence",
    "stalled",
    "verdict",
];

/// Rows, as Markdown that also reads well in a terminal.
#[derive(Default)]
pub struct Report {
    rows: Vec<[String; 14]>,
}

impl Report {
    pub fn add(&mut self, scenario: &Scenario, verdict: &Verdict) {
        let time =
            |time: Option<Duration>| time.map_or("-".to_owned(), |t| format!("{:.2} s", t.as_secs_f64()));
        self.rows.push([
            scenario.name.to_owned(),
            scenario.promise.lost.word().to_owned(),
            verdict.acknowledged.to_string(),
            verdict.delivered.to_string(),
            verdict.doubled.to_string(),
            verdict.lost.to_string(),
            verdict.gone.to_string(),
            verdict.gaps.to_string(),
            time(verdict.refused_in),
            time(verdict.taken_in),
            time(verdict.heard_in),
            time(Some(verdict.silence).filter(|silence| !silence.is_zero())),
            time(Some(verdict.stalled)),
            if verdict.broken.is_empty() {
                "kept"
            } else {
                "BROKEN"
            }
            .to_owned(),
        ]);
    }

    /// A scenario that could not be run to its end.
    pub fn add_failed(&mut self, scenario: &Scenario) {
        let mut row = std::array::from_fn(|_| "-".to_owned());
        scenario.name.clone_into(&mut row[0]);
        scenario.promise.lost.word().clone_into(&mut row[1]);
        "FAILED".clone_into(&mut row[13]);
        self.rows.push(row);
    }

    pub fn table(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].len());
            cells.chain([HEAD[column].len()]).max().unwrap_or_default()
        };
        let line = |cells: [&str; 14]| {
            let padded: Vec<String> = (0..14)
                .map(|n| match n {
                    0 | 1 | 13 => format!("{:<1$}", cells[n], width(n)),
                    _ => format!("{:>1$}", cells[n], width(n)),
                })
                .collect();
            format!("| {} |\n", padded.join(" | "))
        };
        let rule: [String; 14] = std::array::from_fn(|n| match n {
            0 | 1 | 13 => "-".repeat(width(n)),
            _ => format!("{}:", "-".repeat(width(n) - 1)),
        });
        let mut text = line(HEAD);
        text += &line(std::array::from_fn(|n| rule[n].as_str()));
        for row in &self.rows {
            text += &line(std::array::from_fn(|n| row[n].as_str()));
        }
        text
    }
}
