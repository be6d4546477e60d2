#![no_main]
#![allow(missing_docs, reason = "the target's module says what it checks")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| chatbridge_fuzz::disposition::check(input));
