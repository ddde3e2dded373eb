//! What the project says of itself, against what it is: licences, and the list of stable codes.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "project/codes.rs"]
mod codes;
#[path = "project/licences.rs"]
mod licences;
