//! Packages outside of the workspace, compiled as users compile theirs.

use std::path::Path;
use std::process::Command;

#[test]
fn a_renamed_library_and_a_facade_compile() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/renamed");
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    // the versions that are here already: nothing is downloaded
    std::fs::copy(lock, fixture.join("Cargo.lock")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args([
            "check",
            "--offline",
            "--all-targets",
            "--target-dir",
            env!("CARGO_TARGET_TMPDIR"),
        ])
        .current_dir(&fixture)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
