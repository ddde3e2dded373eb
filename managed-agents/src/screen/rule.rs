//! The rules: a stable code each, what it stands for, and what each profile makes of it.

use std::fmt;

use crate::verdict::Decision;

/// What a finding says would happen.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Data or a system is destroyed.
    Destroy,
    /// A credential is read or printed.
    Credential,
    /// Data leaves.
    Exfiltrate,
    /// A shell is opened to or from elsewhere.
    RemoteShell,
    /// Something stays behind that runs again.
    Persist,
    /// A defence is weakened, or a trace removed.
    Weaken,
    /// Somebody gains rights.
    Privilege,
    /// Code from elsewhere, or code that cannot be read, runs.
    RemoteCode,
    /// The machine is exhausted or stopped.
    Exhaust,
    /// Another machine is entered.
    Lateral,
    /// Governance itself is changed.
    Tamper,
    /// Text of one kind breaks out into another.
    Injection,
    /// A place inside the network, or one that only a machine itself should ask.
    InternalAddress,
    /// A path leads out of where it should stay.
    Traversal,
    /// More at once than one call should do.
    Bulk,
    /// The screen did not understand, or stopped at a limit.
    Unclear,
}

/// How bad it would be.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// A nuisance.
    Medium,
    /// Work or trust is lost.
    High,
    /// The business may be lost.
    Critical,
}

impl Effect {
    /// The word for it: stable, in small letters with hyphens.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Destroy => "destroy",
            Self::Credential => "credential",
            Self::Exfiltrate => "exfiltrate",
            Self::RemoteShell => "remote-shell",
            Self::Persist => "persist",
            Self::Weaken => "weaken",
            Self::Privilege => "privilege",
            Self::RemoteCode => "remote-code",
            Self::Exhaust => "exhaust",
            Self::Lateral => "lateral",
            Self::Tamper => "tamper",
            Self::Injection => "injection",
            Self::InternalAddress => "internal-address",
            Self::Traversal => "traversal",
            Self::Bulk => "bulk",
            Self::Unclear => "unclear",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

/// One rule of the screen.
///
/// # Examples
///
/// ```
/// use managed_agents::screen::Rule;
/// assert!(Rule::all().any(|rule| rule.code() == "destroy_system"));
/// ```
#[derive(Debug)]
pub struct Rule {
    code: &'static str,
    effect: Effect,
    severity: Severity,
    /// Strict, standard, relaxed.
    pub(super) decisions: [Decision; 3],
    for_model: &'static str,
    for_operator: &'static str,
}

impl Rule {
    /// Every rule, in a fixed order.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        ALL.iter().copied()
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What would happen.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// How bad it would be.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The sentence for the model.
    #[must_use]
    pub fn for_model(&self) -> &'static str {
        self.for_model
    }

    /// The sentence for the operator.
    #[must_use]
    pub fn for_operator(&self) -> &'static str {
        self.for_operator
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Rule {}

const A: Decision = Decision::Allow;
const E: Decision = Decision::Escalate;
const D: Decision = Decision::Deny;

macro_rules! rules {
    ($($name:ident $code:literal $effect:ident $severity:ident [$strict:ident $standard:ident $relaxed:ident]
        $model:literal $operator:literal;)*) => {
        $(pub(crate) static $name: Rule = Rule {
            code: $code,
            effect: Effect::$effect,
            severity: Severity::$severity,
            decisions: [$strict, $standard, $relaxed],
            for_model: $model,
            for_operator: $operator,
        };)*
        static ALL: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    // data and systems
    DESTROY_SYSTEM "destroy_system" Destroy Critical [D D D]
        "this would delete or overwrite part of the operating system" "deletes, moves or overwrites system files or the root of the file system";
    DESTROY_HOME "destroy_home" Destroy Critical [D D D]
        "this would delete a home directory" "deletes or moves away a home directory";
    DESTROY_DEVICE "destroy_device" Destroy Critical [D D D]
        "this would write over a disk or partition" "writes to a raw block device, or makes a file system or partition table on one";
    DESTROY_OUTSIDE "destroy_outside" Destroy High [D E A]
        "this would delete files outside the workspace; name files inside it" "deletes recursively outside the workspace and the known scratch places";
    DESTROY_WORKSPACE "destroy_workspace" Destroy High [D E E]
        "this would delete everything in the workspace; name what to delete" "deletes the whole workspace, or all files found in it";
    DESTROY_UNRESOLVED "destroy_unresolved" Destroy High [D E A]
        "what this would delete is not known before it runs; name it" "deletes recursively at a place that is only known at run time";
    DESTROY_DATA "destroy_data" Destroy High [D E E]
        "this would empty or overwrite data" "empties, shreds or overwrites a data file";
    DESTROY_VOLUME "destroy_volume" Destroy Critical [D E E]
        "this would remove or reformat a volume, pool, array or snapshot" "removes or reformats a logical volume, pool, array, quota or snapshot";
    DESTROY_ACCOUNT "destroy_account" Destroy High [D E E]
        "this would delete a user account or lock it out" "deletes, locks or expires a user account";
    GIT_DISCARD "git_discard" Destroy Medium [E E A]
        "this would throw away uncommitted work; commit or stash it first" "git discards changes, stashes, untracked files or branches";
    GIT_HISTORY "git_history" Destroy High [D E E]
        "this would rewrite or delete published history" "git rewrites or deletes history, refs or remote branches";
    INFRA_DELETE "infra_delete" Destroy High [D E E]
        "this would delete infrastructure" "deletes cloud, cluster or platform resources";
    CONTAINER_DELETE "container_delete" Destroy Medium [E E A]
        "this would delete containers, images, volumes or networks" "deletes containers, images, volumes or networks by force or in bulk";
    DATABASE_DESTROY "database_destroy" Destroy Critical [D E E]
        "this would drop or empty a database, schema or table" "drops, truncates or flushes a database, schema or table";
    SQL_NO_CONDITION "sql_no_condition" Destroy High [D E E]
        "this would change or delete every row; add a real condition" "UPDATE or DELETE without a condition, or with one that is always true";
    SQL_SENSITIVE_WRITE "sql_sensitive_write" Privilege High [D E A]
        "this would change credentials or roles in bulk" "UPDATE of a credential or role column that is not limited to one row by its key";
    PACKAGE_REMOVE "package_remove" Destroy Medium [E E A]
        "this would remove packages or unpublish them" "removes system packages or takes published ones back";
    PROCESS_KILL "process_kill" Exhaust High [D E E]
        "this would stop processes that others rely on" "kills every process, init, or a critical service";
    SYSTEM_STOP "system_stop" Exhaust High [D E E]
        "this would stop or restart the machine" "powers off, halts or restarts the machine, or drops its run level";
    EXHAUST "exhaust_machine" Exhaust Critical [D D D]
        "this would exhaust the machine" "starts processes or uses memory or disk without bound";
    // credentials and data going out
    CREDENTIAL_READ "credential_read" Credential Critical [D D E]
        "this would read a credential" "reads, copies or links a private key, password store or token file";
    CREDENTIAL_PRINT "credential_print" Credential High [D E E]
        "this would print a credential" "asks a program or service to print secrets, tokens or passwords";
    CREDENTIAL_DUMP "credential_dump" Credential Critical [D D D]
        "this would extract credentials from a process or system" "reads the memory or environment of processes, or captures what people type";
    ACCOUNT_LIST "account_list" Credential Medium [E E A]
        "this would copy the list of accounts" "copies, archives or sends the account list";
    COLLECT "collect_data" Exfiltrate Medium [E E A]
        "this would collect data from people's homes, screens or logs" "archives a home directory or logs, or captures screen, clipboard or input";
    EXFIL_SECRET "exfil_secret" Exfiltrate Critical [D D D]
        "this would send a credential elsewhere" "sends the contents of a credential over the network";
    EXFIL_FILE "exfil_file" Exfiltrate High [D E A]
        "this would send files elsewhere" "uploads files or serves them to the network";
    SECRET_IN_ARGUMENT "secret_in_argument" Exfiltrate High [D D E]
        "an argument holds what looks like a key or token; do not send credentials" "an argument holds a string in the format of a key or token";
    // shells and code
    REVERSE_SHELL "reverse_shell" RemoteShell Critical [D D D]
        "this would give somebody else a shell" "connects a shell to a socket, or listens for one";
    TUNNEL "tunnel_open" RemoteShell High [D E E]
        "this would open a way into this machine" "opens a tunnel, relay or remote access to this machine";
    REMOTE_CODE "remote_code" RemoteCode High [D E E]
        "this would run code from the network that nobody has seen" "runs a downloaded script or program";
    HIDDEN_CODE "hidden_code" RemoteCode High [D E E]
        "this would run code that is decoded or decrypted first" "runs code that was encoded, encrypted or hidden in data";
    UNRESOLVED_CODE "unresolved_code" RemoteCode Medium [E E A]
        "what this would run is not known before it runs; write it out" "runs code or a program that is only known at run time";
    SHELL_ESCAPE "shell_escape" RemoteCode Medium [E E A]
        "this would start a shell from inside another program" "starts a shell or command from a program that is not meant for it";
    SCRATCH_CODE "scratch_code" RemoteCode Medium [E E A]
        "this would run a program from a scratch place" "makes a file in a scratch place a program and runs it";
    // staying and gaining
    PERSIST "persist_startup" Persist High [D E E]
        "this would leave something behind that runs again" "writes a start-up file, schedule, service, hook or preload";
    PERSIST_KEY "persist_key" Persist Critical [D D E]
        "this would let somebody log in again later" "adds a login key, account with rights, or authentication rule";
    ACCOUNT_CHANGE "account_change" Persist High [D E E]
        "this would add an account or change its rights" "creates an account, or changes its group, shell, password or rights";
    PRIVILEGE "privilege_gain" Privilege High [D E E]
        "this would give a program or user more rights" "sets setuid or capabilities, or changes who may become root";
    CONTAINER_ESCAPE "container_escape" Privilege Critical [D D E]
        "this container could take over its host" "runs a container with the host's files, devices, namespaces or socket";
    KERNEL_MODULE "kernel_module" Privilege Critical [D E E]
        "this would load code into the kernel" "loads or removes a kernel module or extension";
    WEAKEN "weaken_defence" Weaken High [D E E]
        "this would weaken a defence of this machine" "disables or changes a firewall, access control, update or encryption";
    WEAKEN_LOG "weaken_log" Weaken High [D E E]
        "this would remove or stop the record of what happened" "disables, clears or edits logs, audit or shell history";
    PERMISSIONS "permissions_open" Weaken High [D E E]
        "this would open or break permissions" "changes permissions or ownership widely or of system files";
    DISGUISE "disguised_name" Weaken Medium [E E A]
        "this would disguise a program or file" "gives a program or file another's name or a name that hides it";
    MACHINE_PROBE "machine_probe" Weaken Medium [E E A]
        "this would find out whether it is being examined" "looks for a virtual machine or examiner, as programs do that hide from one";
    SYSTEM_WRITE "system_write" Weaken Medium [D E A]
        "this would change the system's configuration" "writes into a directory of the system";
    INTERCEPT "intercept_traffic" Weaken High [D E E]
        "this would redirect or record other people's traffic" "changes proxies, name resolution or trust, or captures traffic";
    LATERAL "lateral_movement" Lateral High [D E E]
        "this would act on other machines" "runs commands on other machines, or tries their passwords";
    PRIVILEGE_RECON "privilege_recon" Privilege Medium [E E A]
        "this would look for ways to gain rights" "lists programs or rules that give more rights";
    SPOOF "spoof_prompt" Credential High [D E E]
        "this would ask a person for a password under a pretext" "shows a dialogue that asks a person for a password";
    // governance
    TAMPER "tamper_governance" Tamper Critical [D D D]
        "this would change what governs you; only a person may" "runs a deciding command of this program, or touches its data, configuration or environment";
    TAMPER_AGENT "tamper_agent" Tamper High [D D E]
        "this would change an agent's own permissions" "writes an agent's settings or permission file";
    // other kinds
    PATH_TRAVERSAL "path_traversal" Traversal High [D D E]
        "this path leads out of the workspace" "the path climbs out of its directory, or hides that it does";
    PATH_OUTSIDE "path_outside" Traversal Medium [D E A]
        "this path lies outside the workspace" "the path climbs above the workspace";
    PATH_SYSTEM "path_system" Traversal Medium [E E A]
        "this file belongs to the system" "reads a sensitive file of the operating system";
    SSRF "ssrf_internal" InternalAddress Critical [D D E]
        "this address is internal; use a public one" "the URL leads to this machine, a private network or a link-local address";
    SSRF_METADATA "ssrf_metadata" InternalAddress Critical [D D D]
        "this address hands out the machine's own credentials" "the URL leads to a cloud metadata service";
    URL_SCHEME "url_scheme" InternalAddress High [D D E]
        "this kind of URL is not allowed; use https" "the URL's scheme reaches files or other protocols";
    URL_UNCLEAR "url_unclear" InternalAddress High [D E E]
        "this URL can be read in more than one way; write it plainly" "the URL's host is not a plain public name, or programs disagree on it";
    SQL_INJECTION "sql_injection" Injection High [D E E]
        "this argument holds SQL; give the plain value" "an argument of another kind holds SQL, or text that breaks out of a string in it";
    SQL_DANGEROUS "sql_dangerous" Injection High [D E E]
        "this statement reaches beyond the data" "SQL that reaches files, commands, other servers, the catalogue's own rows, or code built at run time";
    SQL_PRIVILEGE "sql_privilege" Privilege High [D E E]
        "this statement changes who may do what" "SQL that grants, revokes or changes roles and users";
    SHELL_INJECTION "shell_injection" Injection High [D E E]
        "this argument holds a shell command; give the plain value" "an argument of another kind holds shell syntax";
    BULK "bulk_action" Bulk Medium [E E E]
        "this is too much at once; a person must approve it" "one call names more recipients, files or events than the profile allows";
    HOST_DENIED "host_denied" Unclear High [D D D]
        "this host is not allowed here" "the configuration denies this host";
    OWN_PATTERN_DENY "own_pattern_deny" Unclear High [D D D]
        "this is not allowed here" "a deny pattern of the configuration fits";
    OWN_PATTERN_ESCALATE "own_pattern_escalate" Unclear Medium [E E E]
        "a person must approve this here" "an escalate pattern of the configuration fits";
    // limits
    LIMIT "screen_limit" Unclear Medium [D E E]
        "this is too long or too deeply nested to be checked; make it simpler" "a limit of the screen on size, depth or expansion was reached";
    UNPARSED "screen_unparsed" Unclear Low [E A A]
        "this could not be understood completely" "the command or statement could not be parsed completely";
}
