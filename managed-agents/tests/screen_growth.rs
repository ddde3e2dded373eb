//! The screen's time grows as the text does, whatever the text repeats.
#![cfg(feature = "screen")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::time::{Duration, Instant};

use managed_agents::screen::StandardScreen;
use serde_json::json;

/// What texts are made of: signs that open, close, quote, escape and repeat, in every language that the screen reads.
const PIECES: [&str; 60] = [
    "a",
    " ",
    ";",
    "\n",
    "|",
    "&",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "'",
    "\"",
    "`",
    "\\",
    "$",
    "$(",
    "$((",
    "${",
    "${a:-",
    "${a/",
    "#",
    "*",
    "?",
    "[",
    "]",
    "~",
    "=",
    "x=",
    "!",
    ",",
    "..",
    "/",
    "../",
    "%2e",
    "%",
    ":",
    "@",
    "<<E\n",
    "E\n",
    "case a in ",
    "if ",
    "fi ",
    "do ",
    "f() ",
    "sudo ",
    "sh -c ",
    "eval ",
    "xargs ",
    "echo ",
    "base64 -d",
    "--",
    "/*",
    "*/",
    " OR 1=1",
    "SELECT ",
    "é",
    "http://",
    "\u{0}",
];

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % below as u64).unwrap()
    }
}

fn fastest(screen: &StandardScreen, tool: &str, name: &str, text: &str, turns: usize) -> Duration {
    let arguments = json!({ name: text });
    let times = (0..turns).map(|_| {
        let began = Instant::now();
        let _ = screen.check_value(tool, &arguments);
        began.elapsed()
    });
    times.min().unwrap()
}

/// `SCREEN_GROWTH` sets how many repeated texts, each of one to four pieces; 12 when nothing is said.
#[test]
fn four_times_the_text_takes_about_four_times_the_time() {
    let texts = std::env::var("SCREEN_GROWTH").ok().and_then(|text| text.parse().ok());
    let screen = StandardScreen::default();
    let mut random = Random(0x0060_0174);
    let mut wrong = Vec::new();
    for _ in 0..texts.unwrap_or(12) {
        let repeated: String = (0..1 + random.next(4))
            .map(|_| PIECES[random.next(PIECES.len())])
            .collect();
        let of = |length: usize| repeated.repeat(length.div_ceil(repeated.len()));
        for (tool, name) in [
            ("bash", "command"),
            ("sql_query", "query"),
            ("read_file", "path"),
            ("http_get", "url"),
            ("python", "code"),
            ("save", "value"),
        ] {
            // what is quadratic takes sixteen times as long; a machine that does other things, too, needs several looks
            // shorter texts would show bounds that are only reached by longer ones: some signs are read twice, but not often
            let grows = |turns| {
                let short = fastest(&screen, tool, name, &of(32 << 10), turns).max(Duration::from_micros(100));
                fastest(&screen, tool, name, &of(128 << 10), turns).as_secs_f64() / short.as_secs_f64()
            };
            if grows(1) > 9.0 && grows(3) > 9.0 && grows(9) > 9.0 {
                wrong.push(format!("{tool}: {repeated:?}: {:.0} times as long", grows(9)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
