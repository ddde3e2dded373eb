//! What the project says of itself, against what it is: licences, the list of stable codes, and what its texts show.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "project/codes.rs"]
mod codes;
#[path = "project/guides.rs"]
mod guides;
#[path = "project/licences.rs"]
mod licences;
