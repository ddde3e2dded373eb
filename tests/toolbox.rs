//! Governed functions as tools, called by name.
fn main() {}
