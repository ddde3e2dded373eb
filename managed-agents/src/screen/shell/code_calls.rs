//! The calls by which code of other languages runs, deletes, reads and sends, by the names of their standard libraries, and
//! what starts a shell.

use crate::screen::words::Words;

/// What connects to somewhere.
static CONNECTS: Words = Words::new(&[
    "socket",
    "Socket",
    "TcpClient",
    "TCPClient",
    "TcpStream",
    "fsockopen",
    "net.Dial",
    "net.connect",
    "net.createConnection",
    "net.Listen",
    "ztcp",
    "TCPListener",
    "inet_aton",
    "WSAStartup",
    "connect(",
    ".connect",
    "/dev/tcp/",
    "InetAddress",
    "gen_tcp",
    "HttpListener",
]);

/// Calls that run a command.
pub(super) const RUNS: [&str; 54] = [
    "shell-command",
    "call-process",
    "start-process",
    "launchedProcess",
    "System.cmd",
    "callCommand",
    "callProcess",
    "readProcess",
    "spawnProcess",
    "createProcess",
    "shellExecute",
    "Process.Start",
    "Process.start",
    "run(`",
    "os.system",
    "os.popen",
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "subprocess",
    "commands.getoutput",
    "pty.spawn",
    "popen",
    "system(",
    "system ",
    "exec(",
    "exec ",
    "execSync",
    "execFile",
    "execv",
    "execl",
    "spawn(",
    "spawnSync",
    "child_process",
    "shell_exec",
    "passthru",
    "proc_open",
    "pcntl_exec",
    "os.execute",
    "io.popen",
    "IO.popen",
    "Open3",
    "%x",
    "ProcessBuilder",
    "getRuntime",
    "Process.run",
    "Process.spawn",
    "Process.new",
    "do shell script",
    "Deno.run",
    "Deno.Command",
    "Bun.spawn",
    "qx",
    "`",
];

/// Calls that delete.
pub(super) const DELETES: [&str; 30] = [
    "rmtree",
    "os.remove",
    "os.unlink",
    "os.rmdir",
    "os.removedirs",
    ".unlink(",
    "unlink",
    "rmSync",
    "rmdirSync",
    "unlinkSync",
    "fs.rm",
    "rimraf",
    "rm_rf",
    "rm_r",
    "FileUtils.rm",
    "FileUtils.remove",
    "remove_dir",
    "File.delete",
    "Dir.delete",
    "Dir.rmdir",
    "remove_tree",
    "os.truncate",
    "rmdir(",
    "deleteRecursively",
    "Files.delete",
    "delete_tree",
    "shutil.move",
    "truncate(",
    "Deno.remove",
    "send2trash",
];

/// Calls that read files.
pub(super) const READS: [&str; 25] = [
    "sqlite3.connect",
    "open(",
    "open ",
    "readFile",
    "read_text",
    "read_bytes",
    "file_get_contents",
    "readfile",
    "fopen",
    "File.read",
    "File.open",
    "IO.read",
    "io.open",
    "io.lines",
    "slurp",
    "Path(",
    "createReadStream",
    "linecache",
    "fileinput",
    "readlines",
    "tarfile",
    "zipfile",
    "ZipFile",
    "shutil.copy",
    "highlight_file",
];

/// Calls that reach the network.
pub(super) const SENDS: [&str; 26] = [
    "requests.post",
    "requests.put",
    "urlopen",
    "urllib",
    "http.client",
    "httpx",
    "aiohttp",
    "fetch(",
    "http.request",
    "https.request",
    "axios",
    "Net::HTTP",
    "LWP",
    "HTTP::Tiny",
    "curl_exec",
    "curl_init",
    "smtplib",
    "ftplib",
    "paramiko",
    "socket",
    "Socket",
    "TCPSocket",
    "fsockopen",
    "requests.get",
    "WebClient",
    "http.get",
];

/// Whether a piece of code connects a shell to a socket, in whatever language.
pub(in crate::screen) fn remote_shell(code: &str) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| code.contains(name));
    if !CONNECTS.are_in(code) {
        return false;
    }
    let network = has(&[
        "socket",
        "Socket",
        "TcpClient",
        "TCPClient",
        "Tcp",
        "fsockopen",
        "net.",
        "ztcp",
        "inet",
        "WSAStartup",
        "/dev/tcp/",
        "Net::",
        "HttpListener",
        "gen_tcp",
    ]);
    network
        && (names_shell(code)
            || has(&[
                "dup2",
                "execve",
                "CreateProcess",
                "Process.Start",
                "IO.popen",
                "popen(",
                "exec(",
                "exec $",
                "exec sh",
                "exec bash",
                "`#{",
                "system(",
                "system$_",
                "ProcessBuilder",
                "Process.run",
                "Process.new",
                "proc_open",
                "fdopen",
                "shell_exec",
                "os.execute",
                "spawn(",
            ]))
}

/// Whether a text names a shell as a program.
pub(in crate::screen) fn names_shell(code: &str) -> bool {
    [
        "/bin/sh",
        "/bin/bash",
        "/bin/zsh",
        "/bin/dash",
        "/bin/ksh",
        "\"sh\"",
        "'sh'",
        "\"bash\"",
        "'bash'",
        "\"zsh\"",
        "'zsh'",
        "cmd.exe",
        "powershell",
        "\"cmd\"",
        "\"/bin/",
    ]
    .iter()
    .any(|name| code.contains(name))
}

/// Whether a command starts a shell and gives it nothing to do.
pub(in crate::screen) fn is_shell(command: &str) -> bool {
    let mut words = command.split_whitespace().filter(|word| *word != "exec");
    let shell = matches!(
        words.next().and_then(|word| word.rsplit('/').next()),
        Some("sh" | "bash" | "zsh" | "dash" | "ksh" | "ash" | "fish" | "csh" | "tcsh")
    );
    shell && words.all(|word| matches!(word, "-i" | "-p" | "-l" | "&" | "-ip" | "#") || word.contains(['<', '>', '&']))
}
