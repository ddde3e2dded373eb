//! Each mistake has its message; what is allowed compiles, with nothing to complain about.

/// Regenerate with `TRYBUILD=overwrite cargo test -p tests --test ui`; one case with `-- ui ui=name`.
#[test]
fn every_mistake_has_its_message_and_what_is_allowed_compiles() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
