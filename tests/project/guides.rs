//! What README and guides show is compiled.

use std::fs;
use std::path::Path;

#[test]
fn every_guide_is_among_the_library_s_doctests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let library = fs::read_to_string(root.join("managed-agents/src/lib.rs")).unwrap();
    let guides = fs::read_dir(root.join("docs")).unwrap();
    let guides = guides.map(|guide| format!("docs/{}", guide.unwrap().file_name().to_str().unwrap()));
    let texts: Vec<_> = guides.chain(["README.md".to_owned()]).collect();
    assert!(texts.len() > 3, "{texts:?}");
    for text in texts.iter().filter(|text| text.ends_with(".md")) {
        assert!(
            library.contains(&format!("include_str!(\"../../{text}\")")),
            "nothing compiles what {text} shows"
        );
    }
}
