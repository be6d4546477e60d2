//! FIQL, the language of filters (draft-nottingham-atompub-fiql-00): whether an expression has its form.
//!
//! ```text
//! expression = operand *( ( ";" / "," ) operand )
//! operand    = "(" expression ")" / constraint
//! constraint = selector [ comparison argument ]
//! comparison = "==" / "!=" / "=" 1*ALPHA "="
//! ```
//!
//! Which selectors there are and what an argument means is the vendor's to say. Arguments are therefore taken as they come:
//! any characters but controls and those that structure an expression.

use std::{iter::Peekable, str::Chars};

/// How deep parentheses may be nested.
const DEPTH_MAX: usize = 32;

/// Where an expression is not FIQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not FIQL at character {position}: expected {expected}")]
pub(crate) struct FiqlError {
    /// Which character, from 1; one behind the last where the expression ends too early.
    pub(crate) position: usize,
    /// What should be there.
    expected: &'static str,
}

/// Checks an expression.
pub(crate) fn check(expression: &str) -> Result<(), FiqlError> {
    let mut read = Reader {
        rest: expression.chars().peekable(),
        position: 1,
    };
    let mut depth = 0;
    loop {
        while read.take('(') {
            depth += 1;
            if depth > DEPTH_MAX {
                read.position -= 1;
                return Err(read.expected("at most 32 parentheses within each other"));
            }
        }
        let has_comparison = read.constraint()?;
        while depth > 0 && read.take(')') {
            depth -= 1;
        }
        match read.rest.peek().copied() {
            None if depth == 0 => return Ok(()),
            Some(';' | ',') => read.step(),
            _ if !has_comparison && read.may_compare() => {
                return Err(read.expected("a comparison, such as `==`, or the end of this constraint"));
            }
            _ if depth > 0 => return Err(read.expected("`;`, `,` or `)`")),
            _ => return Err(read.expected("`;`, `,` or the end")),
        }
    }
}

/// An expression from some character on.
struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    position: usize,
}

impl Reader<'_> {
    fn step(&mut self) {
        self.rest.next();
        self.position += 1;
    }

    fn take(&mut self, wanted: char) -> bool {
        let is_there = self.rest.peek() == Some(&wanted);
        if is_there {
            self.step();
        }
        is_there
    }

    /// Steps over what `wanted` accepts, and says how many characters those were.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> usize {
        let from = self.position;
        while self.rest.peek().is_some_and(|c| wanted(*c)) {
            self.step();
        }
        self.position - from
    }

    fn expected(&self, expected: &'static str) -> FiqlError {
        FiqlError {
            position: self.position,
            expected,
        }
    }

    /// A selector and perhaps a comparison with its argument; says whether there was one.
    fn constraint(&mut self) -> Result<bool, FiqlError> {
        self.selector()?;
        if !matches!(self.rest.peek(), Some('=' | '!')) {
            return Ok(false);
        }
        self.comparison()?;
        let is_argument = |c: char| !c.is_control() && !matches!(c, '(' | ')' | ';' | ',');
        if self.take_while(is_argument) == 0 {
            return Err(self.expected("a value to compare with"));
        }
        Ok(true)
    }

    fn selector(&mut self) -> Result<(), FiqlError> {
        let from = self.position;
        loop {
            self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~'));
            if !self.take('%') {
                break;
            }
            for _ in 0..2 {
                if !self.rest.peek().is_some_and(char::is_ascii_hexdigit) {
                    return Err(self.expected("two hexadecimal digits behind `%`"));
                }
                self.step();
            }
        }
        if self.position == from {
            return Err(self.expected("a field's name or `(`"));
        }
        Ok(())
    }

    fn comparison(&mut self) -> Result<(), FiqlError> {
        if !self.take('!') {
            self.take('=');
            self.take_while(|c| c.is_ascii_alphabetic());
        }
        if self.take('=') {
            return Ok(());
        }
        Err(self.expected("`=`, the end of a comparison such as `==`, `!=` or `=gt=`"))
    }

    /// Whether somebody who wrote this may have meant a comparison.
    fn may_compare(&mut self) -> bool {
        matches!(self.rest.peek(), Some(c) if c.is_whitespace() || matches!(c, '<' | '>' | ':' | '~'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("state==active")]
    #[case("state==active;channelId==25")]
    #[case("name==Cosmin,(routingOption.id==11)")]
    #[case("((a==1;b!=2),c=gt=3)")]
    #[case("updated")]
    #[case("updated=lt=-P1D;title==foo*")]
    #[case("createdAt=ge=2024-01-01T00:00:00.000+01:00")]
    #[case("user.email==ann@example.org")]
    #[case("name==Ann of Cleves")]
    #[case("name==Łódź")]
    #[case("a%20b==1")]
    #[case("a===b")]
    #[case("a==1 and b==2")]
    fn what_is_fiql_passes(#[case] expression: &str) {
        assert_eq!(check(expression), Ok(()));
    }

    #[rstest]
    #[case("", 1, "a field's name")]
    #[case("==1", 1, "a field's name")]
    #[case("a==", 4, "a value")]
    #[case("a=1", 3, "`=`")]
    #[case("a=gt5", 5, "`=`")]
    #[case("a!1", 3, "`=`")]
    #[case("a==1;", 6, "a field's name")]
    #[case("a==1;;b==2", 6, "a field's name")]
    #[case("(a==1", 6, "`;`, `,` or `)`")]
    #[case("a==1)", 5, "the end")]
    #[case("a==1(b==2)", 5, "the end")]
    #[case("()", 2, "a field's name")]
    #[case("a == 1", 2, "a comparison")]
    #[case("a>1", 2, "a comparison")]
    #[case("a%2", 4, "hexadecimal")]
    #[case("ä==1", 1, "a field's name")]
    #[case("a==1\n", 5, "the end")]
    #[case("name==ü;(", 10, "a field's name")]
    fn what_is_not_fiql_is_shown_its_place(
        #[case] expression: &str,
        #[case] position: usize,
        #[case] expected: &str,
    ) {
        let error = check(expression).unwrap_err();
        assert_eq!(error.position, position, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn parentheses_are_nested_as_deep_as_allowed_and_no_deeper() {
        let nested = |depth: usize| format!("{}a==1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(check(&nested(DEPTH_MAX)), Ok(()));
        assert_eq!(check(&nested(DEPTH_MAX + 1)).unwrap_err().position, DEPTH_MAX + 1);
        assert!(check(&"(".repeat(100_000)).is_err());
    }

    fn constraint() -> impl Strategy<Value = String> {
        let comparison = prop_oneof![Just("==".to_owned()), Just("!=".to_owned()), "=[a-zA-Z]{1,4}="];
        let argument = "[^\\p{Cc}();,]{1,12}";
        let selector = "([a-zA-Z0-9._~-]|%[0-9a-fA-F]{2}){1,8}";
        prop_oneof![
            selector,
            (selector, comparison, argument).prop_map(|(s, c, a)| format!("{s}{c}{a}")),
        ]
    }

    fn expression() -> impl Strategy<Value = String> {
        constraint().prop_recursive(8, 64, 4, |inner| {
            let operator = prop_oneof![Just(";"), Just(",")];
            prop_oneof![
                inner.clone().prop_map(|e| format!("({e})")),
                (inner.clone(), operator, inner).prop_map(|(a, o, b)| format!("{a}{o}{b}")),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_expression_of_the_grammar_passes(expression in expression()) {
            prop_assert_eq!(check(&expression), Ok(()));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            if let Err(error) = check(&text) {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.position));
            }
        }

        #[test]
        fn what_passes_is_balanced_and_tame(text in "[a=!();,%1 ]{0,24}") {
            if check(&text).is_ok() {
                prop_assert_eq!(text.matches('(').count(), text.matches(')').count());
                prop_assert!(!text.ends_with([';', ',', '(']) && !text.starts_with([';', ',', ')']));
                prop_assert!(!text.contains("()") && !text.contains(")(") && !text.contains(";,"));
            }
        }
    }
}
