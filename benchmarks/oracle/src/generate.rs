//! Lines of shell, made from the grammar by a generator with a fixed seed.

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % below as u64) as usize
    }

    fn one<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.next(texts.len())]
    }
}

/// The longest line, in bytes.
const LONGEST: usize = 1500;

pub fn lines(count: usize) -> Vec<String> {
    let mut random = Random(0x0AC1E);
    let mut lines = Vec::with_capacity(count);
    while lines.len() < count {
        let line = list(&mut random, 2);
        // what is longer has more commands than an explanation shows
        if line.len() <= LONGEST {
            lines.push(line);
        }
    }
    lines
}

fn list(random: &mut Random, depth: u32) -> String {
    let mut out = and_or(random, depth);
    for _ in 0..random.next(3) {
        out.push_str(random.one(&["; ", " ;", "\n", " & ", ";\n", "\n\n"]));
        out.push_str(&and_or(random, depth));
    }
    out
}

fn and_or(random: &mut Random, depth: u32) -> String {
    let mut out = pipeline(random, depth);
    for _ in 0..random.next(2) {
        out.push_str(random.one(&[" && ", " || ", "&&", "||", " &&\n", " ||\n "]));
        out.push_str(&pipeline(random, depth));
    }
    out
}

fn pipeline(random: &mut Random, depth: u32) -> String {
    let mut out = random.one(&["", "", "", "", "! ", "time "]).to_owned();
    out.push_str(&command(random, depth));
    for _ in 0..random.next(2) {
        out.push_str(random.one(&[" | ", "|", " |& ", " |\n"]));
        out.push_str(&command(random, depth));
    }
    out
}

fn command(random: &mut Random, depth: u32) -> String {
    if depth == 0 || random.next(3) > 0 {
        return simple(random, depth);
    }
    let depth = depth - 1;
    let redirect = if random.next(4) == 0 {
        redirect(random, depth)
    } else {
        String::new()
    };
    let mut list = || list(random, depth);
    let (a, b, c) = (list(), list(), list());
    let compound = match random.next(9) {
        // without the spaces, `((a))` would be arithmetic
        0 => format!("( {a} )"),
        1 => format!("{{ {a}; }}"),
        2 => format!("if {a}; then {b}; else {c}; fi"),
        3 => format!("if {a}\nthen {b}\nelif {c}\nthen {a}\nfi"),
        4 => format!("while {a}; do {b}; done"),
        5 => format!("until {a}\ndo\n{b}\ndone"),
        6 => format!("for x in {} {}; do {a}; done", word(random, depth), word(random, depth)),
        7 => format!("case {} in a|b) {a};; (c) {b} ;; *) {c}\nesac", word(random, depth)),
        _ => format!("f() {{ {a}; }}; f x"),
    };
    // a list that ends in `&` is no list before `;`
    compound.replace("& ;", "& :;") + &redirect
}

fn simple(random: &mut Random, depth: u32) -> String {
    let mut out = String::new();
    if random.next(6) == 0 {
        out = format!("v={} ", word(random, depth));
    }
    out.push_str(random.one(&[
        "one",
        "two",
        "\"three\"",
        "fo'u'r",
        "fi\\ve",
        "./six",
        "/bin/seven",
        "eight-9",
    ]));
    for _ in 0..random.next(4) {
        out.push_str(random.one(&[" ", "  ", "\t", " \\\n"]));
        out.push_str(&word(random, depth));
    }
    if random.next(5) == 0 {
        out.push_str(&redirect(random, depth));
    }
    out
}

fn word(random: &mut Random, depth: u32) -> String {
    let mut out = String::new();
    for _ in 0..1 + random.next(2) {
        let part = match random.next(if depth == 0 { 10 } else { 14 }) {
            0 | 1 => random
                .one(&["a", "bc", "-d", "--e=f", "g/h.i", "j:k", "1", "é"])
                .to_owned(),
            2 => "'l m'".to_owned(),
            3 => "\"n o\"".to_owned(),
            4 => "p\\ q".to_owned(),
            5 => "'r;s|t&u'".to_owned(),
            6 => "\"v;w(x)y\"".to_owned(),
            7 => "$z".to_owned(),
            8 => "\"${z}\"".to_owned(),
            9 => "''".to_owned(),
            10 => format!("$({})", list(random, depth - 1)),
            11 => format!("\"$({})\"", list(random, depth - 1)),
            12 => format!("\"a $({}) b\"", simple(random, 0)),
            _ => format!("`{}`", random.one(&["one a", "two 'b c'", "six | one"])),
        };
        out.push_str(&part);
    }
    out
}

fn redirect(random: &mut Random, depth: u32) -> String {
    let target = word(random, depth.min(1));
    match random.next(6) {
        0 => format!(" > {target}"),
        1 => format!(" 2>&1 >> {target}"),
        2 => format!(" < {target}"),
        3 => format!(" <<< {target}"),
        4 => " 2>/dev/null".to_owned(),
        _ => format!(" &> {target}"),
    }
}
