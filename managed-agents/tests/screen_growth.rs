//! The screen's time grows as the text does, whatever the text repeats.
#![cfg(all(feature = "screen", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::time::Duration;

use managed_agents::screen::StandardScreen;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

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

fn time(screen: &StandardScreen, tool: &str, arguments: &Value) -> Duration {
    // of this thread alone, whatever else the machine does
    let spent = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
    };
    let began = spent();
    let _ = screen.check_value(tool, arguments);
    spent() - began
}

/// How many times as long the longer one takes: the middle of several pairs, each measured at one moment, so that a
/// machine that does other things slows both.
fn ratio(screen: &StandardScreen, tool: &str, short: &Value, long: &Value, pairs: usize) -> f64 {
    let mut ratios: Vec<f64> = (0..pairs)
        .map(|_| {
            // what takes less than this is no trouble however it grows
            let short = time(screen, tool, short).max(Duration::from_micros(200));
            time(screen, tool, long).as_secs_f64() / short.as_secs_f64()
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(pairs / 2).copied().unwrap_or(0.0)
}

/// `SCREEN_GROWTH` sets how many repeated texts, each of one to four pieces; 6 when nothing is said.
///
/// Sixteen times the text takes sixteen times as long, and up to forty times where it no longer fits into the processor's
/// cache; what is quadratic takes 256 times as long. Steps of work, which no machine changes, are counted beside the
/// module `screen::shell`.
#[test]
fn sixteen_times_the_text_takes_far_less_than_its_square() {
    let texts = std::env::var("SCREEN_GROWTH").ok().and_then(|text| text.parse().ok());
    let screen = StandardScreen::default();
    let mut random = Random(0x0060_0174);
    let known = ["(,(", "},:\n", "do ..", ">", "xargs ", "\n</@", "$(("].map(str::to_owned);
    let drawn = (0..texts.unwrap_or(6)).map(|_| {
        (0..1 + random.next(4))
            .map(|_| PIECES[random.next(PIECES.len())])
            .collect::<String>()
    });
    let mut wrong = Vec::new();
    for repeated in known.into_iter().chain(drawn) {
        for (tool, name) in [
            ("bash", "command"),
            ("sql_query", "query"),
            ("read_file", "path"),
            ("http_get", "url"),
            ("python", "code"),
            ("save", "value"),
        ] {
            let of = |length: usize| json!({ name: repeated.repeat(length.div_ceil(repeated.len())) });
            let (short, long) = (of(8 << 10), of(128 << 10));
            let grows = |pairs| ratio(&screen, tool, &short, &long, pairs) > 100.0;
            if grows(1) && grows(3) && grows(9) && grows(15) {
                wrong.push(format!("{tool}: {repeated:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
