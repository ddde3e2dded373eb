//! Editors, pagers, viewers, finders, players and terminals: vim(1), less(1), fzf(1), mutt(1), exiftool(1), feh(1), xterm(1),
//! xdotool(1), and their like.

use super::Abilities;
use super::Can::{Code, Console, Is, Loads, Pipe, Rest, Runs, Sets, Within, Writes};
use crate::screen::rule;

by_name! {
    NAMES: pub(super) fn of(name: &str) -> Abilities where name is {
        "vim" | "vi" | "nvim" | "ex" | "view" | "rvim" | "gvim" | "vimdiff" | "rview" | "neovide" => {
            (&[("-u|-S|-s|-U", Loads), ("--cmd|-c", Sets(&["shell", "makeprg", "grepprg", "keywordprg"]))], &[])
        },
        "less" | "more" | "most" | "pg" | "bat" | "batcat" | "zless" | "zmore" => (&[("+", Console)], &[]),
        "lnav" | "multitail" => (&[("-l|-e", Runs), ("-c", Console), ("-c", Within(&[":pipe-to ", ":sh "]))], &[]),
        "kak" => (&[("-e|-E", Within(&["%sh"]))], &[]),
        "nano" | "pico" | "rnano" => (&[("-s|--speller", Runs), ("-o|--operatingdir", Writes)], &[]),
        "jed" | "zile" | "jmacs" | "xemacs" | "joe" | "mg" => (&[("-f|--eval|-eval|-e|-c|--execute", Code), ("-l|--load", Loads), ("*", Console)], &[]),
        "emacs" | "emacsclient" => (&[("-l|--load|-script|--script|-load", Loads)], &[]),
        "fzf" | "sk" | "peco" | "percol" => (&[
            ("--preview|-c|--cmd|--with-shell|--exec", Runs),
            ("--bind", Within(&["execute", "become", "reload", "execute-silent", "transform"])),
        ], &[]),
        "ranger" | "lf" | "vifm" | "joshuto" | "yazi" | "mc" | "nnn" => (&[
            ("-command|--cmd|--command|-c|+", Console),
            ("-config|--confdir|--plug", Loads),
        ], &[]),
        "mutt" | "neomutt" => (&[("-e", Within(&["source \"", "source ", "`"])), ("-e", Sets(&["editor", "sendmail", "pager", "visual", "shell"])), ("-F", Loads)], &[]),
        "alpine" | "pine" => (&[("-editor|-pinerc|-passfile", Loads)], &[]),
        "irssi" | "weechat" | "weechat-headless" => (&[("-r|--run-command|-c", Within(&["/exec ", "/EXEC "]))], &[]),
        "w3m" | "lynx" | "elinks" | "links" => (&[
            ("-editor|-cfg|-lss", Loads),
            ("-eval", Code),
            ("-o", Sets(&["viewer", "viewer2", "editor", "mailer", "browser", "extbrowser"])),
        ], &[]),
        "mpv" | "mplayer" | "vlc" | "cvlc" | "celluloid" => (&[("--script|--scripts|--lua|-script|--lua-intf|-include", Loads), ("--input-ipc-server|--sub-file-paths", Writes)], &[]),
        "feh" | "sxiv" | "nsxiv" | "scrot" | "imv" => (&[("-A|--action|--info|-e|--exec", Runs)], &[]),
        "sox" | "play" | "rec" | "convert" | "magick" | "mogrify" | "display" | "montage" | "composite" => (&[("*", Pipe)], &[]),
        "exiftool" => (&[("-if|-p", Code), ("-config", Loads), ("-filename|-directory|-testname|-o|-w", Writes)], &[]),
        "gimp" | "gimp-console" => (&[("-b|--batch", Code)], &[]),
        "inkscape" | "scribus" => (&[("-py|--python-script", Loads)], &[]),
        "blender" | "freecad" | "freecadcmd" => (&[("--python-expr|-c|--console", Code), ("-P|--python|--addons", Loads)], &[]),
        "dosbox" => (&[("-c", Runs)], &[]),
        "enscript" | "a2ps" => (&[("-I|--filter|--user-prologue|--pretty-print", Runs)], &[]),
        "aspell" | "ispell" | "hunspell" => (&[("<", Console)], &[]),
        "zathura" | "evince" | "okular" | "qpdfview" => (&[("-x|--synctex-editor-command|--editor-cmd", Runs), ("-c|--config-dir", Loads)], &[]),
        "xterm" | "urxvt" | "rxvt" | "st" | "konsole" | "alacritty" | "lxterminal" | "mate-terminal" | "terminator" | "tilix"
        | "xfce4-terminal" | "qterminal" | "terminology" => (&[("-e|-x|--command|--execute", Rest(0))], &[]),
        "gnome-terminal" | "kgx" | "ptyxis" | "wezterm" => (&[("--", Rest(1)), ("-e|--command", Runs)], &[]),
        "xdotool" | "i3-msg" | "swaymsg" | "hyprctl" | "herbstclient" => (&[("exec|spawn", Rest(0))], &[]),
        "xautolock" | "xss-lock" | "swayidle" | "light-locker" => (&[("-locker|-notifier|-killer", Runs), ("timeout|before-sleep|after-resume|lock|unlock", Rest(1))], &[]),
        "gsettings" | "dconf" | "kwriteconfig5" | "kwriteconfig6" | "xfconf-query" => (&[("command|exec|-s|--set", Runs)], &[]),
        "awesome-client" | "qtile" => (&[(".", Code)], &[]),
        "rofi" | "dmenu" | "wofi" | "bemenu" | "conky" | "dzen2" => (&[
            ("-run-command|-terminal|-run-shell-command|-on-entry-accepted", Runs),
            ("-modi|-show|-modes", Loads),
            ("-t|--text", Within(&["${exec ", "${execi ", "${execp "])),
        ], &[]),
        "asciinema" | "ttyrec" | "termtosvg" | "vhs" => (&[("-c|--command|-e", Runs)], &[]),
        "dtach" | "abduco" => (&[("-n|-c|-N|-A", Rest(1))], &[]),
        "tmux" => (&[("-f", Loads), ("-c", Runs)], &[]),
        "screen" => (&[("-c", Loads), ("-X", Within(&["exec "])), ("-Logfile", Writes)], &[]),
        "script" => (&[(".|-O|-I|-B|-T|--log-out|--log-in|--log-io|--log-timing", Writes)], &[]),
        "rlwrap" => (&[("-l|--logfile", Writes), ("-z|--filter", Runs)], &[]),
        "ack" | "ag" => (&[("--pager", Runs), ("--ackrc", Loads)], &[]),
        "ugrep" | "ug" => (&[("--pager|--view", Runs), ("--filter", Within(&[":"]))], &[]),
        "rg" => (&[("--pre|--hostname-bin", Runs)], &[]),
        "neofetch" | "fastfetch" => (&[("--config|-c", Loads)], &[]),
        "lazygit" => (&[("--use-config-file|-ucf", Loads)], &[]),
        "cmus-remote" => (&[("-C|--raw", Within(&["shell ", "run "]))], &[]),
        "mocp" => (&[("-C|--config", Loads), ("-O|--set-option", Sets(&["onsongchange", "onstop"]))], &[]),
        "vd" | "visidata" => (&[("-p|--play|--config", Loads)], &[]),
        "xpdf" => (&[("-exec", Within(&["run("]))], &[]),
        "sxhkd" | "xbindkeys" | "openbox" | "fluxbox" | "i3" | "sway" | "awesome" | "bspwm" | "dunst" | "polybar" | "waybar" => {
            (&[("-c|-f|-rc|-conf|--config|--config-file", Loads)], &[])
        },
        "google-chrome" | "google-chrome-stable" | "chromium" | "chromium-browser" | "chrome" | "brave-browser" | "microsoft-edge" => (&[
            ("--renderer-cmd-prefix|--utility-cmd-prefix|--gpu-launcher|--ppapi-plugin-launcher|--browser-subprocess-path", Runs),
            ("--load-extension", Loads),
        ], &[]),
        "qutebrowser" | "aerc" => (&[("*", Console), ("-C|--config-py", Loads)], &[]),
        "metamail" | "run-mailcap" => (&[("-m", Runs)], &[]),
        "xmodmap" | "xrdb" => (&[("-cpp", Runs)], &[]),
        "copyq" => (&[("eval", Code)], &[]),
        "darktable" => (&[("--luacmd", Code)], &[]),
        "gvpr" => (&[(".", Code), ("-f", Loads)], &[]),
        "xdg-user-dir" => (&[("*", Within(&["}; "]))], &[]),
        "scanmem" => (&[("-c|--command|<", Console)], &[]),
        "tasksh" | "tdbtool" | "crash" | "mdb" => (&[("*", Console), ("<", Console)], &[]),
        "showkey" | "logkeys" | "evtest" | "lkl" => const { (&[("-k|--keycodes|-a|--ascii|-s|--start", Is(&rule::CREDENTIAL_DUMP)), ("/dev/input/", Is(&rule::CREDENTIAL_DUMP))], &[]) },
    } else { (&[], &[]) }
}
