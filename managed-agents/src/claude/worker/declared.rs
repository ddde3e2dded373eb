//! What the built-in tools do, as the harness is told.

use crate::call::{ArgKind, Risk, ToolMeta};

/// Claude's built-in tools as the harness judges them by name: `bash` a shell command, `read`, `glob` and `grep` reading,
/// `write` and `edit` changing files, `web_fetch` and `web_search` reading the web. For [`declare`]; a tool that nothing
/// declares is escalated.
///
/// [`declare`]: crate::harness::HarnessBuilder::declare
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use managed_agents::{Harness, claude};
/// let mut builder = Harness::builder().in_memory().agent_id("coder");
/// for tool in claude::built_in_tools() {
///     builder = builder.declare(tool);
/// }
/// let harness = builder.build().await?;
/// assert!(harness.govern("grep", r#"{"pattern":"todo"}"#).await.is_ok());
/// # Ok(()) }
/// ```
#[must_use]
pub fn built_in_tools() -> Vec<ToolMeta> {
    let tool = |name: &'static str, description: &'static str| ToolMeta::new(name).with_description(description);
    vec![
        tool("bash", "Run a command in a shell.")
            .with_risk(Risk::Medium)
            .with_argument("command", ArgKind::Shell),
        tool("read", "Read a file.")
            .with_risk(Risk::Low)
            .read_only()
            .with_argument("file_path", ArgKind::Path),
        tool("write", "Write a file.")
            .with_risk(Risk::Medium)
            .with_argument("file_path", ArgKind::Path),
        tool("edit", "Replace a text in a file.")
            .with_risk(Risk::Medium)
            .with_argument("file_path", ArgKind::Path),
        tool("glob", "Find files by name.")
            .with_risk(Risk::Low)
            .read_only()
            .with_argument("path", ArgKind::Path),
        tool("grep", "Find lines in files.")
            .with_risk(Risk::Low)
            .read_only()
            .with_argument("path", ArgKind::Path),
        tool("web_fetch", "Read a page of the web.")
            .with_risk(Risk::Medium)
            .with_argument("url", ArgKind::Url),
        tool("web_search", "Search the web.").with_risk(Risk::Low).read_only(),
    ]
}
