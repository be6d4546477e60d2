//! File names in `Content-Disposition`, which the vendor passes on from whoever uploaded a file. Input: the header's value.
//!
//! A name is safe to show and to save under, and one that is safe is read as it was written.

use chatbridge::gateway::fuzzing::file_name;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Checks one input.
pub fn check(input: &[u8]) {
    let Some(name) = file_name(input) else {
        return;
    };
    assert!((1..=255).contains(&name.len()));
    assert!(!name.contains(['/', '\\']) && !name.contains(char::is_control));
    assert!(!name.trim_matches(['.', ' ']).is_empty());
    assert_eq!(name.trim(), name);
    let encoded = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    let extended = format!("attachment; filename=x; filename*=UTF-8''{encoded}");
    assert_eq!(file_name(extended.as_bytes()).as_deref(), Some(&*name));
    let quoted = format!("attachment; filename=\"{}\"", name.replace('"', "\\\""));
    assert_eq!(file_name(quoted.as_bytes()).as_deref(), Some(&*name));
}
