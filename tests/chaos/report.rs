//! The table.

use std::{fmt::Write as _, time::Duration};

use crate::{
    scenario::{Lost, Scenario},
    verdict::Verdict,
};

const HEAD: [&str; 15] = [
    "scenario",
    "promised",
    "acknowledged",
    "delivered",
    "doubled",
    "lost",
    "not in log",
    "gaps",
    "repeated",
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
    rows: Vec<[String; 15]>,
    /// As docs/delivery.md has them.
    told: String,
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
            verdict.repeated.to_string(),
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
        self.tell(scenario, verdict);
    }

    /// A row of the table in docs/delivery.md.
    fn tell(&mut self, scenario: &Scenario, verdict: &Verdict) {
        let seconds =
            |time: Option<Duration>| time.map_or("-".to_owned(), |t| format!("{:.1} s", t.as_secs_f64()));
        let lost = match verdict.lost {
            0 => "0".to_owned(),
            lost if scenario.promise.lost == Lost::Told => format!("{lost}, told as gaps"),
            lost => lost.to_string(),
        };
        let kept = if verdict.broken.is_empty() {
            ""
        } else {
            " (BROKEN)"
        };
        let _ = writeln!(
            self.told,
            "| {}{kept} | {} | {} | {lost} | {} | {}, {} |",
            scenario.about,
            verdict.acknowledged,
            verdict.doubled,
            seconds(verdict.refused_in),
            seconds(verdict.taken_in),
            seconds(verdict.heard_in),
        );
    }

    /// The table of docs/delivery.md, to be put there as it is.
    pub fn told(&self, seed: u64) -> String {
        format!(
            "| fault | acknowledged | doubled | lost | slowest 503 | back |\n\
             | --- | ---: | ---: | ---: | ---: | --- |\n{}\nThe seed was {seed}.\n",
            self.told
        )
    }

    /// A scenario that could not be run to its end.
    pub fn add_failed(&mut self, scenario: &Scenario) {
        let mut row = std::array::from_fn(|_| "-".to_owned());
        scenario.name.clone_into(&mut row[0]);
        scenario.promise.lost.word().clone_into(&mut row[1]);
        "FAILED".clone_into(&mut row[14]);
        self.rows.push(row);
        let _ = writeln!(self.told, "| {} (FAILED) | - | - | - | - | - |", scenario.about);
    }

    pub fn table(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].len());
            cells.chain([HEAD[column].len()]).max().unwrap_or_default()
        };
        let line = |cells: [&str; 15]| {
            let padded: Vec<String> = (0..15)
                .map(|n| match n {
                    0 | 1 | 14 => format!("{:<1$}", cells[n], width(n)),
                    _ => format!("{:>1$}", cells[n], width(n)),
                })
                .collect();
            format!("| {} |\n", padded.join(" | "))
        };
        let rule: [String; 15] = std::array::from_fn(|n| match n {
            0 | 1 | 14 => "-".repeat(width(n)),
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
