//! Compilers, builders, test runners and package managers: cargo(1), go(1), gcc(1), cmake(1), ninja(1), mvn(1), npm-config(7),
//! apt.conf(5), dpkg(1), rpm(8), and their like.

use super::Can::{Code, Fetches, Is, Last, Loads, Rest, Runs, Sets, Within};
use super::{Abilities, Ability};
use crate::screen::rule;

const CARGO: &[Ability] = &[
    (
        "--config",
        Sets(&[
            "wrapper",
            "rustc",
            "rustdoc",
            "runner",
            "linker",
            "credential-process",
            "credential-provider",
        ]),
    ),
    ("-s|--shell", Runs),
];
const COMPILER: &[Ability] = &[
    ("-wrapper", Runs),
    ("-fplugin=|-specs=|--specs=|-fpass-plugin=|-Xclang|-B", Loads),
];
const MAKE: &[Ability] = &[
    ("SHELL=|CC=|CXX=|LD=|AR=|MAKE=|CPP=|PYTHON=", Loads),
    ("-f|--file|--makefile", Loads),
];
const CMAKE: &[Ability] = &[
    ("-P|-C", Loads),
    (
        "-DCMAKE_C_COMPILER_LAUNCHER=|-DCMAKE_CXX_COMPILER_LAUNCHER=|-DCMAKE_MAKE_PROGRAM=",
        Runs,
    ),
    ("-DCMAKE_TOOLCHAIN_FILE=|-DCMAKE_PROJECT_INCLUDE=", Loads),
    ("env|time", Rest(1)),
];
const TEX: &[Ability] = &[
    ("*", Within(&["write18", "|\"", "directlua{os.execute", "input|"])),
    ("<", Within(&["write18"])),
];
const SCRIPTS: &[Ability] = &[(
    "-c|--config|-r|--require|--gulpfile|--gruntfile|--setup-file|--reporter",
    Loads,
)];
const APT: &[Ability] = &[(
    "-o|--option",
    Sets(&[
        "dir::bin::apt-helper",
        "dir::bin::dpkg",
        "dir::bin::gpg",
        "pre-invoke",
        "post-invoke",
        "pre-invoke::",
        "post-invoke::",
        "pre-install-pkgs",
        "pre-install-pkgs::",
        "post-invoke-success",
        "proxy-auto-detect",
        "dir::bin::solvers",
        "dir::bin::methods",
        "pager",
    ]),
)];
const DNF: &[Ability] = &[
    (
        "--setopt",
        Sets(&["pluginpath", "pluginconfpath", "reposdir", "persistdir", "plugin_path"]),
    ),
    ("-c|--config", Loads),
];

by_name! {
    NAMES: pub(super) fn of(name: &str) -> Abilities where name is {
        "cargo" => (CARGO, &[]),
        "rustc" | "rustdoc" => (&[("-C|--codegen", Sets(&["linker"])), ("--test-runtool|--runtool", Runs)], &[]),
        "go" => (&[("-toolexec|-exec", Runs), ("-vettool|-overlay|-modfile", Loads)], &[]),
        "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++" | "gfortran" | "c89" | "c99" => (COMPILER, &[]),
        "ld" | "gold" | "lld" => (&[("-plugin", Loads)], &[]),
        "make" | "gmake" | "bmake" | "nmake" => (MAKE, &[]),
        "cmake" | "ctest" | "cpack" => (CMAKE, &[]),
        "ninja" | "samu" => (&[("-f", Loads)], &[]),
        "scons" => (&[("-f|--file|--sconstruct|--makefile", Loads)], &[]),
        "bazel" | "bazelisk" | "buck" | "buck2" => (&[("--run_under|--workspace_status_command|--shell_executable", Runs), ("--bazelrc", Loads)], &[]),
        "gradle" | "gradlew" => (&[("-I|--init-script|-b|--build-file|-c|--settings-file", Loads)], &[]),
        "mvn" | "mvnw" => (&[("-Dexec.executable=", Runs), ("-f|--file", Loads)], &[]),
        "ant" => (&[("-f|-file|-buildfile|-lib", Loads)], &[]),
        "rake" | "thor" => (&[("-e|--execute|-E|-p|--execute-print", Code), ("-f|--rakefile|-r|--require", Loads)], &[]),
        "just" => (&[("--shell|--chooser", Runs), ("-f|--justfile", Loads), ("-c|--command", Rest(0))], &[]),
        "task" | "go-task" => (&[("-t|--taskfile", Loads), ("execute", Rest(0))], &[]),
        "tox" | "nox" | "invoke" | "inv" | "pyinvoke" => (&[("-c|--noxfile|--collection|--search-root", Loads), ("-x|-f", Loads)], &[]),
        "star" => (&[("compress-program=|rsh=|-rsh", Runs)], &[]),
        "bpkg" | "basher" => const { (&[], &[("install ** http://*", &rule::REMOTE_CODE)]) },
        "eslint" | "jest" | "mocha" | "webpack" | "rollup" | "vite" | "babel" | "karma" | "gulp" | "grunt" | "ava" | "cypress"
        | "vitest" | "stylelint" | "asciidoctor" | "storybook" => (SCRIPTS, &[]),
        "ccache" | "distcc" | "sccache" | "icecc" | "scan-build" | "bear" | "colormake" | "kcov" | "intercept-build" => (&[(".", Rest(0))], &[]),
        "coverage" | "kernprof" => (&[("--rcfile|run", Loads)], &[]),
        "pytest" | "py.test" | "nosetests" | "mypy" | "flake8" | "rubocop" | "phpunit" | "phpstan" | "prettier" | "playwright" | "behat"
        | "codecept" | "cucumber" | "rspec" | "prove" => {
            (&[("-c|--config|--config-file|-r|--require|--bootstrap", Loads), ("--exec|-e", Runs)], &[])
        },
        "pylint" => (&[("--rcfile", Loads), ("--init-hook", Code)], &[]),
        "perldoc" => (&[("-n|-M", Loads)], &[]),
        "ctags" => (&[("--options|--optlib-dir", Loads)], &[]),
        "doxygen" => (&[(".", Loads)], &[]),
        "cppcheck" => (&[("--addon|--rule-file|--clang", Loads)], &[]),
        "clang-tidy" | "opt" | "llc" => (&[("-load|--load|-load-pass-plugin", Loads)], &[]),
        "spatch" => (&[("--sp-file|-sp_file|--cocci-file|--script", Loads)], &[]),
        "frama-c" => (&[("-load-script|-load-module|-load-plugin", Loads)], &[]),
        "ghcid" => (&[("-c|--command|-T|--test", Runs)], &[]),
        "godot" | "godot4" | "love" => (&[(".|-s|--script", Loads)], &[]),
        "mlflow" | "dvc" | "kedro" => (&[("run|repro", Loads)], &[]),
        "ray" => (&[("exec", Rest(2))], &[]),
        "meson" => (&[("--native-file|--cross-file", Loads)], &[]),
        "packer" => (&[("build|validate|inspect", Loads)], &[]),
        "dvips" => const { (&[("-R0", Is(&rule::SHELL_ESCAPE))], &[]) },
        "pic" | "gpic" => (&[("<", Within(&["sh X", "sh {", "sh %", "sh /"]))], &[]),
        "gh" | "glab" => (&[("alias", Last)], &[]),
        "p4" => (&[("*", Sets(&["p4editor", "p4diff", "p4merge", "p4pager"]))], &[]),
        "snakemake" | "nextflow" | "cromwell" | "doit" | "paver" | "jam" | "bjam" | "premake5" | "jake" => {
            (&[("-f|--file|-s|--snakefile|run", Loads)], &[])
        },
        "gn" => (&[("--script-executable", Runs)], &[]),
        "swiftc" | "erlc" | "coqc" | "coqtop" => (&[("-load-plugin-library|-pa|-load-vernac-source|-l", Loads)], &[]),
        "npm" | "pnpm" | "yarn" => (&[("--script-shell|--git|--node-gyp", Runs), ("--init-module|--userconfig|yarn-path|yarnPath", Loads)], &[]),
        "npx" | "bunx" | "pnpx" => (&[("-p|--package", Loads), ("--script-shell", Runs)], &[]),
        "uvx" | "pipx" => (&[("--spec|--from|--with", Loads)], &[]),
        "pip" | "pip3" => (&[("--python", Loads)], &[]),
        "gem" => (&[("-e|--editor", Runs), ("*", Fetches)], &[]),
        "cabal" | "stack" => (&[("-w|--with-compiler|--with-gcc|--with-ghc", Loads)], &[]),
        "ghc" | "runghc" | "ghci" => (&[("-pgmF|-pgmc|-pgmP|-pgml|-pgma|-pgmL", Runs), ("<", Code)], &[]),
        "protoc" => (&[("--plugin", Loads)], &[]),
        "pdflatex" | "xelatex" | "lualatex" | "latex" | "tex" | "luatex" | "xetex" | "pdftex" | "luahbtex" | "context" => (TEX, &[]),
        "latexmk" => (&[("-pdflatex|-latex|-xelatex|-lualatex|-print|-e", Code), ("-pdflatex|-latex|-xelatex|-lualatex", Runs), ("-r", Loads)], &[]),
        "pandoc" => (&[("-L|--lua-filter|-F|--filter|--pdf-engine|-d|--defaults", Loads)], &[]),
        "sphinx-build" | "mkdocs" | "jekyll" => (&[("-c|-f|--config-file|--config", Loads)], &[]),
        "bison" => (&[("-S|--skeleton", Loads)], &[]),
        "m4" => (&[("<", Code), ("*", Within(&["esyscmd", "syscmd"])), ("<", Within(&["esyscmd", "syscmd"]))], &[]),
        "groff" | "troff" | "nroff" | "gtroff" => (&[("<", Within(&[".sy ", ".pso "]))], &[]),
        "gs" | "ghostscript" => (&[("*", Within(&["%pipe%"])), ("<", Within(&["%pipe%"]))], &[]),
        "apt" | "apt-get" | "aptitude" | "apt-cache" => (APT, &[]),
        "dpkg" => (&[("--pre-invoke|--post-invoke|--status-logger", Runs)], &[]),
        "dnf" | "yum" | "microdnf" | "dnf5" => (DNF, &[]),
        "zypper" => (&[("--reposd-dir|-D|--plus-repo|-p|--solv-cache-dir", Loads)], &[]),
        "pacman" | "yay" | "paru" => (&[("--hookdir|--config", Loads), ("--makepkg|--editor|--sudo|--git", Runs)], &[]),
        "rpm" | "rpmbuild" | "rpmquery" | "rpmspec" | "rpmverify" | "rpmdb" => (&[
            ("--pipe", Runs),
            ("--eval|-E|--define|-D", Within(&["%(", "os.execute", "posix.exec"])),
        ], &[]),
        "debsign" | "dpkg-buildpackage" | "debuild" | "dpkg-source" => (&[("-p|-r|--sign-command|--rootcmd|--check-command", Runs)], &[]),
        "sbuild" | "pbuilder" | "cowbuilder" => (&[("--pre-build-commands|--chroot-setup-commands|--post-build-commands|--starting-build-commands", Runs), ("--hookdir", Loads)], &[]),
        "nix-build" | "nix-instantiate" | "nix-env" => (&[("--post-build-hook|--diff-hook|--build-hook", Runs)], &[]),
        "guix" => (&[("--", Rest(1))], &[]),
        "snap" => const { (&[("--shell", Is(&rule::SHELL_ESCAPE))], &[]) },
        "facter" => (&[("--custom-dir|--external-dir", Loads)], &[]),
        "code" | "codium" | "code-insiders" | "cursor" => (&[("--install-extension|--extensions-dir|--extensionDevelopmentPath", Loads)], &[]),
        "cpanm" | "cpan" => (&[(".", Loads), ("*", Fetches)], &[]),
        "luarocks" => (&[("install|make|build", Loads), ("*", Fetches)], &[]),
        "conda" | "mamba" | "micromamba" | "poetry" | "argo" | "pre-commit" | "nix" | "nix-shell" | "nix-channel"
        | "pdm" | "hatch" | "rye" | "uv" | "vcpkg" | "conan" | "rebar3" | "opam" | "raco" | "pear" | "pecl" | "nuget" | "port" | "pkgin"
        | "xbps-install" | "eopkg" | "rustup" | "asdf" | "mise" | "krew" | "skaffold" | "tilt" | "kpt" | "cpm" | "spack" | "corepack"
        | "flatpak-builder" | "appimage-run" => (&[("*", Fetches)], &[]),
        "cobc" => (&[(".", Loads)], &[]),
        "soffice" | "libreoffice" | "lowriter" | "localc" => const { (&[("macro:|vnd.sun.star.script:", Is(&rule::SHELL_ESCAPE))], &[]) },
        "alien" => (&[("-i|--install", Loads)], &[]),
        "patchelf" => (&[("--add-needed|--replace-needed|--set-interpreter|--add-rpath|--set-rpath", Loads)], &[]),
        "flatpak" => const { (&[], &[("override --filesystem=host|--filesystem=/|--share=all", &rule::WEAKEN)]) },
        "hg" | "chg" => (&[("-e|--ssh|--remotecmd", Runs), ("--config", Sets(&["ssh", "editor", "pager", "alias.", "hooks."]))], &[]),
        "svn" | "svnadmin" => (&[("--config-option", Sets(&["tunnels:", "editor-cmd", "diff-cmd", "merge-tool-cmd"])), ("--editor-cmd|--diff-cmd|--diff3-cmd", Runs)], &[]),
        "cvs" | "darcs" | "bzr" | "brz" => (&[("-e", Runs), ("--posthook|--prehook|--diff-command|--using", Runs)], &[]),
        "jj" | "sl" => (&[("--config", Sets(&["pager", "editor", "tool", "diff-editor", "program"])), ("--tool", Loads)], &[]),
        "composer" => (&[("exec", Rest(1))], &[]),
    } else { (&[], &[]) }
}
