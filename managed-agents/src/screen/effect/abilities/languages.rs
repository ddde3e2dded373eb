//! Interpreters that people seldom meet, and the ways in which they take code: guile(1), ocaml(1), erl(1), scala(1), jshell(1),
//! swipl(1), tclsh(1), sage(1), and their like.

use super::Abilities;
use super::Can::{Code, Console, Loads, Rest, Runs, Sets, Within};

by_name! {
    NAMES: pub(super) fn of(name: &str) -> Abilities where name is {
        "guile" => (&[("-c", Code), ("<", Code), ("-l|-s|-e", Loads)], &[]),
        "ocaml" | "utop" | "rescript" => (&[("-e", Code), ("<", Code), ("-init", Loads)], &[]),
        "erl" | "escript" | "werl" => (&[("-eval|--eval", Code), ("-pa|-pz|-boot|-config|-init", Loads), ("<", Code)], &[]),
        "elixir" | "iex" => (&[("-e|--eval|--rpc-eval", Code), ("-r|--dot-iex", Loads), ("<", Code)], &[]),
        "mix" => (&[("-e|--eval", Code), ("-r", Loads)], &[]),
        "scala" | "amm" | "scala-cli" | "sbt" => (&[("-e|-c|--code|--execute-script|--script-snippet", Code), ("<", Code)], &[]),
        "groovy" | "groovysh" => (&[("-e|--execute", Code), ("<", Code)], &[]),
        "kotlin" | "kotlinc" | "ki" => (&[("-e|-expression", Code), ("-plugin|-Xplugin=", Loads), ("<", Code)], &[]),
        "jshell" | "bsh" | "jrunscript" | "jjs" => (&[("<", Code), ("-e|-f|-s", Code), ("--startup|--load", Loads)], &[]),
        "java" | "javac" => (&[
            ("-javaagent:|-agentpath:|-agentlib:|-processorpath|-Djava.library.path=", Loads),
            ("-XX:OnOutOfMemoryError=|-XX:OnError=", Runs),
        ], &[]),
        "swipl" | "gprolog" | "yap" | "scryer-prolog" => (&[("-g|-t|--goal|--query-goal|--init-goal|--entry-goal", Code), ("<", Code), ("-s|--consult-file", Loads)], &[]),
        "sbcl" | "ecl" | "clisp" | "abcl" | "ccl" | "ros" => (&[("-eval|--eval|-x|-e|--non-interactive", Code), ("-l|--load|-i|--script", Loads), ("<", Code)], &[]),
        "clojure" | "clj" | "bb" | "lein" | "janet" | "fennel" | "hy" | "newlisp" | "lumo" | "planck" | "picolisp" | "joker" => (&[("-e|--eval|-c|-i|-M:e", Code), ("<", Code)], &[]),
        "racket" | "csi" | "gsi" | "gosh" | "chezscheme" | "scheme" | "mit-scheme" | "chibi-scheme" | "bigloo" => (&[("-e|-eval|--eval|-p", Code), ("-l|--load|-t", Loads), ("<", Code)], &[]),
        "tclsh" | "wish" | "expect" | "expectk" | "jimsh" => (&[("<", Code), ("-c|-e", Code), ("<", Within(&["exec "]))], &[]),
        "julia" => (&[("-e|-E|--eval|--print", Code), ("-L|--load", Loads), ("<", Code)], &[]),
        "r" | "rscript" | "littler" => (&[("-e|--eval", Code), ("<", Code), ("BATCH|-f|--file", Loads)], &[]),
        // programs of science and design that are steered by scripts
        "csound" | "sclang" => (&[(".", Loads)], &[]),
        "pymol" | "jmol" | "vmd" | "visit" | "paraview" | "pvpython" | "klayout" | "yosys" | "gtkwave" | "vivado"
        | "quartus_sh" | "qgis" | "saga_cmd" => (&[("-s|-r|-e|-c|-S|-t|-source|--script|--code|-rm", Loads)], &[]),
        "openocd" => (&[("-c|--command", Within(&["exec "])), ("-f|--file", Loads)], &[]),
        "arduino-cli" => (&[("--build-property", Sets(&[".cmd", ".pattern", "cmd"]))], &[]),
        "platformio" | "pio" => (&[("-c|--project-conf", Loads)], &[]),
        "lfe" => (&[("-e|-eval", Code), ("<", Code)], &[]),
        "ngspice" | "pspp" | "gretlcli" => (&[(".|-b", Loads)], &[]),
        "octave" | "octave-cli" | "matlab" | "scilab" | "scilab-cli" | "freemat" => (&[("-eval|--eval|-r|-batch|-e|-p|--path", Code), ("<", Code)], &[]),
        "sage" | "sagemath" | "maxima" | "gp" | "gap" | "wolframscript" | "wolfram" | "math" | "ginsh" | "yacas" | "axiom" | "fricas" => {
            (&[("-c|-e|-code|--batch-string|-r|--run-string|-run", Code), ("<", Code), ("<", Console)], &[])
        },
        "gnuplot" => (&[("-e", Code), ("<", Code)], &[]),
        "rails" | "artisan" | "wp" | "drush" | "magento" | "craft" => (&[("runner|r|eval|php:eval|ev|php-eval", Code), ("--execute|--eval", Code), ("--require|--exec", Loads)], &[]),
        "raku" | "perl6" | "coffee" | "tsx" | "ts-node" | "io" | "slsh" | "pike" | "mruby" | "jruby" | "truffleruby" | "crystal"
        | "qjs" | "d8" | "js" | "njs" | "rhino" | "mujs" | "duk" | "v8" | "nim" | "squirrel" | "texlua" | "moon" | "pry" => {
            (&[("-e|--eval|--print|-c", Code), ("-r|--require|e", Loads), ("<", Code)], &[])
        },
        "jython" | "micropython" | "circuitpython" | "bpython" | "ptpython" | "graalpy" | "coconut" | "ipython3" => (&[("-c", Code), ("<", Code)], &[]),
        "csharp" | "fsharpi" | "fsi" | "dotnet-script" | "dotnet" => (&[("-e|--exec|--eval|eval", Code), ("<", Code), ("--load|--use|--exec|fsi|script|--project", Loads)], &[]),
        "rebol" | "red" | "regina" | "rexx" | "forth" | "gforth" | "pforth" => (&[("-e|--do|<", Code)], &[]),
        "bun" => (&[("x|run", Loads)], &[]),
        "deno" => (&[("eval", Code)], &[]),
        "ipython" => (&[("-c", Console), ("--ext|--profile-dir|--config", Loads)], &[]),
        "jupyter" | "marimo" | "streamlit" => (&[("run|execute|edit|--config", Loads)], &[]),
        "pdb" | "ipdb" | "pudb" | "pudb3" | "scalene" | "pyinstrument" | "viztracer" | "zeek" | "bro" | "lilypond" | "asy" | "idl"
        | "gams" | "ampl" | "kawa" => {
            (&[(".", Loads), ("-c|-e", Code), ("<", Code)], &[])
        },
        "py-spy" | "memray" | "rbspy" | "0x" | "clinic" => (&[("--", Rest(1)), ("run", Loads)], &[]),
        "byebug" => (&[(".", Loads), ("-r|--require|-x", Loads)], &[]),
        "frida" | "frida-trace" | "objection" => (&[("-r|--require|-l|--load|-S", Loads), ("-e|--eval", Code)], &[]),
        "cowsay" | "cowthink" | "ponysay" => (&[("-f", Loads)], &[]),
    } else { (&[], &[]) }
}
