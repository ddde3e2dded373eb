//! The tools of an agent, with their state.

mod dispatch;
mod error;

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub use error::{ToolboxError, ToolboxProblem, ToolboxProblemKind};

use super::definition::Dialect;
use super::states::States;
use super::{Tool, schema};
use crate::harness::Harness;

/// The tools of an agent, with the state they need: what an agent loop describes to a model and calls by name.
///
/// Made by [`Toolbox::new`] and [`ToolboxBuilder::build`]; what is not built cannot be called. A clone is the same
/// toolbox.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use managed_agents::{Dialect, GovernanceDenied, Harness, Toolbox, governed};
///
/// struct Orders;
///
/// /// Look up an order.
/// #[governed(risk = low, read_only)]
/// async fn lookup(
///     /// The order's number.
///     order: u64,
///     #[governed(state)] _orders: &Orders,
/// ) -> Result<String, GovernanceDenied> {
///     Ok(format!("order {order} is on its way"))
/// }
///
/// let harness = Harness::builder().in_memory().agent_id("support-bot").build().await?;
/// let toolbox = Toolbox::new().harness(&harness).state(Orders).tool(lookup::tool()).build()?;
///
/// assert_eq!(toolbox.definitions(Dialect::Claude)[0]["name"], "lookup");
/// assert_eq!(toolbox.call("lookup", r#"{"order":7}"#).await.text(), "order 7 is on its way");
/// assert_eq!(
///     toolbox.call("lookup", r#"{"order":"7"}"#).await.text(),
///     r#"argument `order`: invalid type: string "7", expected u64"#
/// );
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Toolbox(Arc<Inner>);

struct Inner {
    harness: Option<Harness>,
    tools: Vec<Entry>,
    /// Each name that a model may use, with its place in `tools`.
    names: BTreeMap<String, usize>,
    states: States,
}

struct Entry {
    tool: Tool,
    schema: Value,
}

impl Toolbox {
    /// Begins a toolbox.
    #[expect(clippy::new_ret_no_self, reason = "a toolbox is only there when it was built")]
    pub fn new() -> ToolboxBuilder {
        ToolboxBuilder {
            harness: None,
            tools: Vec::new(),
            states: States::default(),
            repeated: Vec::new(),
            must_describe: false,
        }
    }

    /// The tools, as the interface of a model wants them described.
    #[must_use]
    pub fn definitions(&self, dialect: Dialect) -> Vec<Value> {
        self.0
            .tools
            .iter()
            .map(|entry| dialect.define(&entry.tool, &entry.schema))
            .collect()
    }

    /// The tools, in the order they were given.
    #[must_use]
    pub fn tools(&self) -> impl ExactSizeIterator<Item = &Tool> + '_ {
        self.0.tools.iter().map(|entry| &entry.tool)
    }

    /// The tool of a name.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.entry(name).map(|entry| &entry.tool)
    }

    /// The harness that governs every call, where the toolbox has one of its own.
    #[cfg(feature = "claude")]
    pub(crate) fn harness(&self) -> Option<&Harness> {
        self.0.harness.as_ref()
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.0.tools.get(*self.0.names.get(name)?)
    }
}

impl fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Toolbox").field(&self.0.tools).finish()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tool.fmt(f)
    }
}

/// Gathers tools and their state; made by [`Toolbox::new`].
#[derive(Debug)]
#[must_use = "a toolbox is only there when it is built"]
pub struct ToolboxBuilder {
    harness: Option<Harness>,
    tools: Vec<Tool>,
    states: States,
    /// Types of which a second state was given.
    repeated: Vec<&'static str>,
    must_describe: bool,
}

impl ToolboxBuilder {
    /// Names the harness that governs every call of this toolbox; else it is the one in whose scope a call is made.
    pub fn harness(mut self, harness: &Harness) -> Self {
        self.harness = Some(harness.clone());
        self
    }

    /// Gives the value that tools take as `&T` or `Arc<T>`.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared(Arc::new(value))
    }

    /// Gives a value that is shared with others; `T` may be unsized: `.shared::<dyn Clock>(clock)`.
    pub fn shared<T: ?Sized + Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        if !self.states.insert(value) {
            self.repeated.push(type_name::<T>());
        }
        self
    }

    /// Adds a tool.
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Adds tools.
    pub fn tools(mut self, tools: impl IntoIterator<Item = Tool>) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Makes a tool without a doc comment an error, where it is a warning in the log else: a model must guess what it does.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "macros")] {
    /// use managed_agents::{GovernanceDenied, Toolbox, governed};
    ///
    /// #[governed]
    /// async fn mystery(n: u8) -> Result<u8, GovernanceDenied> {
    ///     Ok(n)
    /// }
    ///
    /// assert!(Toolbox::new().tool(mystery::tool()).build().is_ok());
    /// assert!(Toolbox::new().tool(mystery::tool()).require_descriptions().build().is_err());
    /// # }
    /// ```
    pub fn require_descriptions(mut self) -> Self {
        self.must_describe = true;
        self
    }

    /// Checks that every tool has its state and a name of its own.
    ///
    /// # Errors
    ///
    /// [`ToolboxError`] names everything that is wrong, not just the first.
    pub fn build(self) -> Result<Toolbox, ToolboxError> {
        let mut problems: Vec<_> = self.repeated.into_iter().map(ToolboxProblem::repeated_state).collect();
        let mut names = BTreeMap::new();
        for (place, tool) in self.tools.iter().enumerate() {
            let name = tool.name();
            if !is_valid(name) {
                problems.push(ToolboxProblem::invalid_name(name));
            }
            // a tool answers to its own name and to what the dialects make of it
            for name in BTreeSet::from([name.to_owned(), Dialect::Claude.name(name)]) {
                if let Some(other) = names.insert(name.clone(), place) {
                    let other = self.tools.get(other).map_or("", Tool::name);
                    problems.push(ToolboxProblem::duplicate_name(tool.name(), other));
                    break;
                }
            }
            if tool.description().is_empty() && self.must_describe {
                problems.push(ToolboxProblem::undescribed(name));
            } else if tool.description().is_empty() {
                tracing::warn!(
                    tool = name,
                    "a tool without a doc comment: a model must guess what it does"
                );
            }
            let missing = tool.needs().into_iter().filter(|need| !self.states.holds(need));
            problems.extend(missing.map(|need| ToolboxProblem::missing_state(tool.name(), &need.parameter())));
        }
        if !problems.is_empty() {
            return Err(ToolboxError::new(problems));
        }
        let tools = self.tools.into_iter().map(|tool| Entry {
            schema: schema::assemble(tool.vtable.arguments),
            tool,
        });
        Ok(Toolbox(Arc::new(Inner {
            harness: self.harness,
            tools: tools.collect(),
            names,
            states: self.states,
        })))
    }
}

/// What every interface takes: 1 to 64 letters, digits, `_`, `-`; a dot is written `_` where it is not taken.
fn is_valid(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}
