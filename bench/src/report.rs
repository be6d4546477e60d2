//! The table.

/// One thing that was compared.
struct Row {
    what: String,
    floor: String,
    ours: String,
    ratio: f64,
    goal: Goal,
}

/// What a ratio should be.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// Nothing: it is shown for what it tells.
    None,
}

/// All rows.
#[derive(Default)]
pub(crate) struct Report(Vec<Row>);

impl Report {
    pub(crate) fn row(&mut self, what: String, floor: String, ours: String, ratio: f64, goal: Goal) {
        eprintln!("{what}: {ours} against {floor}: {ratio:.2}");
        self.0.push(Row {
            what,
            floor,
            ours,
            ratio,
            goal,
        });
    }

    /// As a Markdown table.
    pub(crate) fn print(&self) {
        println!("| what | floor | Chatbridge | ratio | goal | |");
        println!("| --- | --- | --- | --- | --- | --- |");
        for row in &self.0 {
            let (goal, met) = match row.goal {
                Goal::AtMost(limit) => (format!("at most {limit:.2}"), Some(row.ratio <= limit)),
                Goal::AtLeast(limit) => (format!("at least {limit:.2}"), Some(row.ratio >= limit)),
                Goal::None => ("none".to_owned(), None),
            };
            let verdict = match met {
                Some(true) => "met",
                Some(false) => "missed",
                None => "",
            };
            println!(
                "| {} | {} | {} | {:.2} | {goal} | {verdict} |",
                row.what, row.floor, row.ours, row.ratio
            );
        }
    }
}
