//! Filters. Input: an expression.
//!
//! What passes is what a reader passes that was written from the grammar, and expressions can be put together.

use chatbridge::grpc::fuzzing::fiql;

const DEPTH_MAX: usize = 32;

/// Checks one input.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let chars: Vec<char> = text.chars().collect();
    let by_the_grammar = expression(&chars, 0, 0) == Some(chars.len());
    match fiql(text) {
        Ok(()) => {
            assert!(by_the_grammar, "{text:?} passes");
            for whole in [
                format!("{text};a==1"),
                format!("a!=1,{text}"),
                format!("b;{text}"),
            ] {
                assert_eq!(fiql(&whole), Ok(()));
            }
        }
        Err((position, problem)) => {
            assert!(!by_the_grammar, "{text:?}: {problem}");
            assert!((1..=chars.len() + 1).contains(&position), "{position}");
            assert!(problem.is_ascii() && problem.len() < 160, "{problem}");
        }
    }
}

/// Each of these answers where what it reads ends; `None`: it is not there.
fn expression(text: &[char], at: usize, depth: usize) -> Option<usize> {
    let mut end = operand(text, at, depth)?;
    while matches!(text.get(end), Some(';' | ',')) {
        end = operand(text, end + 1, depth)?;
    }
    Some(end)
}

fn operand(text: &[char], at: usize, depth: usize) -> Option<usize> {
    if text.get(at) != Some(&'(') {
        return constraint(text, at);
    }
    if depth == DEPTH_MAX {
        return None;
    }
    let end = expression(text, at + 1, depth + 1)?;
    (text.get(end) == Some(&')')).then_some(end + 1)
}

fn constraint(text: &[char], at: usize) -> Option<usize> {
    let end = selector(text, at)?;
    let Some(argument) = comparison(text, end) else {
        // A selector alone is a constraint, but not in front of half a comparison.
        return (!matches!(text.get(end), Some('=' | '!'))).then_some(end);
    };
    let is_argument = |c: &&char| !c.is_control() && !"();,".contains(**c);
    let length = text[argument..].iter().take_while(is_argument).count();
    (length > 0).then_some(argument + length)
}

fn selector(text: &[char], at: usize) -> Option<usize> {
    let mut end = at;
    loop {
        match text[end..] {
            ['%', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => end += 3,
            [c, ..] if c.is_ascii_alphanumeric() || "-._~".contains(c) => end += 1,
            ['%', ..] => return None,
            _ => return (end > at).then_some(end),
        }
    }
}

fn comparison(text: &[char], at: usize) -> Option<usize> {
    match text[at..] {
        ['!' | '=', '=', ..] => Some(at + 2),
        ['=', ref rest @ ..] => {
            let letters = rest.iter().take_while(|c| c.is_ascii_alphabetic()).count();
            (letters > 0 && rest.get(letters) == Some(&'=')).then_some(at + letters + 2)
        }
        _ => None,
    }
}
