//! What is logged: levels, by the part of the program that speaks.

use std::{fmt, str::FromStr};

use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;

/// What our own parts are called, and what their names begin with.
const OURS: &str = "chatbridge";
/// The finest that is heard of libraries, whatever is asked for: their finer lines hold what passes through them, headers and
/// texts among it.
const OTHERS_MAX: LevelFilter = LevelFilter::INFO;
/// The longest filter, in bytes.
const BYTES_MAX: usize = 1024;
/// The longest piece that a refusal repeats, in characters.
const SHOWN_MAX: usize = 64;

/// Directives, separated by commas: a level for everything, or `TARGET=LEVEL` for a part of the program and what is below it,
/// such as `info,chatbridge::gateway=debug`. The more exact target wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    text: String,
    /// For what no directive names.
    rest: LevelFilter,
    directives: Vec<(String, LevelFilter)>,
}

impl FromStr for Filter {
    type Err = String;

    /// # Errors
    /// What is wrong, as a sentence.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("it is longer than {BYTES_MAX} bytes"));
        }
        let mut filter = Self {
            text: text.trim().to_owned(),
            rest: LevelFilter::OFF,
            directives: Vec::new(),
        };
        let mut given = text
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .peekable();
        if given.peek().is_none() {
            return Err("it is empty: name a level such as info, or off".to_owned());
        }
        for directive in given {
            match directive.split_once('=') {
                None => filter.rest = level(directive).ok_or_else(|| unknown(directive))?,
                Some((target, word)) => {
                    let level = level(word).ok_or_else(|| unknown(directive))?;
                    if !is_target(target) {
                        return Err(unknown(directive));
                    }
                    filter.directives.push((target.to_owned(), level));
                }
            }
        }
        Ok(filter)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Filter {
    /// The same for the subscriber, with libraries held back.
    pub(super) fn targets(&self) -> Targets {
        let held = |target: &str, level: LevelFilter| match target.starts_with(OURS) {
            true => level,
            false => level.min(OTHERS_MAX),
        };
        let directives = self.directives.iter();
        Targets::new()
            .with_default(self.rest.min(OTHERS_MAX))
            // Before the directives, so that one for the same target wins.
            .with_target(OURS, self.ours())
            .with_targets(directives.map(|(target, level)| (target.clone(), held(target, *level))))
    }

    /// What holds for our own parts that no directive names. A directive's target is a prefix.
    fn ours(&self) -> LevelFilter {
        let shorter = self
            .directives
            .iter()
            .filter(|(target, _)| OURS.starts_with(&**target));
        shorter
            .max_by_key(|(target, _)| target.len())
            .map_or(self.rest, |(_, level)| *level)
    }
}

fn level(word: &str) -> Option<LevelFilter> {
    let word = word.trim();
    if word.eq_ignore_ascii_case("off") {
        return Some(LevelFilter::OFF);
    }
    let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
    let level = levels
        .into_iter()
        .find(|level| word.eq_ignore_ascii_case(level.as_str()));
    level.map(LevelFilter::from_level)
}

fn is_target(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-'))
}

fn unknown(directive: &str) -> String {
    let shown: String = directive.chars().take(SHOWN_MAX).collect();
    format!(
        "{shown:?} is neither a level nor TARGET=LEVEL, such as chatbridge::gateway=debug; levels are off, error, warn, info, \
         debug and trace"
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::info("info", "chatbridge::webhook", Level::INFO, true)]
    #[case::not_finer("info", "chatbridge::webhook", Level::DEBUG, false)]
    #[case::trace_of_ours("trace", "chatbridge::webhook", Level::TRACE, true)]
    #[case::trace_of_the_client("trace", "chatbridge_client", Level::TRACE, true)]
    #[case::never_of_libraries("trace", "h2::codec", Level::DEBUG, false)]
    #[case::nor_if_named("h2=trace", "h2::codec", Level::DEBUG, false)]
    #[case::libraries_are_heard("trace", "h2::codec", Level::INFO, true)]
    #[case::a_part(
        "warn,chatbridge::gateway=debug",
        "chatbridge::gateway::record",
        Level::DEBUG,
        true
    )]
    #[case::no_other_part("warn,chatbridge::gateway=debug", "chatbridge::webhook", Level::INFO, false)]
    #[case::a_part_less("info,chatbridge::audit=off", "chatbridge::audit", Level::ERROR, false)]
    #[case::all_of_ours("off,chatbridge=info", "chatbridge::webhook", Level::INFO, true)]
    #[case::in_capitals("INFO", "chatbridge::webhook", Level::INFO, true)]
    #[case::with_spaces(" warn , chatbridge=debug ", "chatbridge::webhook", Level::DEBUG, true)]
    #[case::what_nothing_names("chatbridge::gateway=debug", "chatbridge::webhook", Level::ERROR, false)]
    fn filters_let_through(
        #[case] filter: &str,
        #[case] target: &str,
        #[case] level: Level,
        #[case] expected: bool,
    ) {
        let filter: Filter = filter.parse().unwrap();
        assert_eq!(filter.targets().would_enable(target, &level), expected);
    }

    #[rstest]
    #[case("debgu", "\"debgu\"")]
    #[case("info,chatbridge=loud", "\"chatbridge=loud\"")]
    #[case("info,=debug", "\"=debug\"")]
    #[case("a b=debug", "\"a b=debug\"")]
    #[case("chatbridge[span]=debug", "chatbridge[span]")]
    #[case("", "empty")]
    #[case(" , ", "empty")]
    fn a_wrong_filter_is_refused_with_a_sentence(#[case] filter: &str, #[case] part: &str) {
        let problem = filter.parse::<Filter>().unwrap_err();
        assert!(problem.contains(part), "{problem}");
    }

    #[test]
    fn a_refusal_repeats_no_more_than_it_must() {
        assert!(
            "x".repeat(BYTES_MAX + 1)
                .parse::<Filter>()
                .unwrap_err()
                .contains("longer")
        );
        let problem = "x".repeat(BYTES_MAX).parse::<Filter>().unwrap_err();
        assert!(problem.len() < 300, "{problem}");
    }
}
