//! Sessions of real agents, drawn again as a whole, and calls that follow each other.

use std::collections::BTreeMap;

/// A tool and the size of its arguments.
pub(super) type Session = Vec<(String, u32)>;

/// The sessions of the published trajectories.
pub(super) struct Sessions {
    pub(super) all: Vec<Session>,
    /// The sizes of each tool's arguments.
    sizes: BTreeMap<String, Vec<u32>>,
}

/// To which tools calls are moved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rare {
    /// The three that are least used in the agent's own reference, of those that it used.
    Own,
    /// Three that write: two that agents hardly use, and one that none of them used.
    Writing,
    /// Three that no agent ever used.
    Unseen,
}

impl Rare {
    pub(super) const ALL: [Self; 3] = [Self::Own, Self::Writing, Self::Unseen];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Own => "the three tools rarest in its own reference",
            Self::Writing => "three writing tools, one of which it never used",
            Self::Unseen => "three tools it never used",
        }
    }

    pub(super) fn tools(self, learnt: &[Session]) -> Vec<String> {
        let named = |names: [&str; 3]| names.map(str::to_owned).to_vec();
        match self {
            Self::Own => {
                let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
                for (tool, _) in learnt.iter().flatten() {
                    *counts.entry(tool).or_default() += 1;
                }
                let mut rarest: Vec<_> = counts
                    .into_iter()
                    .map(|(tool, count)| (count, tool.to_owned()))
                    .collect();
                rarest.sort();
                rarest.into_iter().take(3).map(|(_, tool)| tool).collect()
            }
            Self::Writing => named([
                "update_reservation_baggages",
                "send_certificate",
                "update_reservation_passengers",
            ]),
            Self::Unseen => named(["export_customers", "update_reservation_passengers", "delete_user"]),
        }
    }
}

/// Numbers that look random (splitmix64).
#[derive(Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Sessions {
    /// Reads them; none where they are not there.
    pub(super) fn read() -> Option<Self> {
        let folder = std::env::var_os("MANAGED_AGENTS_VECTORS").map_or_else(
            || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
            Into::into,
        );
        let text = std::fs::read_to_string(folder.join("trajectories/tau_airline_gpt4o_dev.jsonl")).ok()?;
        let session = |line: &str| {
            let session: serde_json::Value = serde_json::from_str(line).unwrap();
            let calls = session["calls"].as_array().unwrap().iter();
            let call = |call: &serde_json::Value| {
                let size = call["tool_input"].to_string().len();
                (call["tool_name"].as_str().unwrap().to_owned(), size as u32)
            };
            calls.map(call).collect::<Session>()
        };
        let all: Vec<_> = text
            .lines()
            .map(session)
            .filter(|session| !session.is_empty())
            .collect();
        let mut sizes: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (tool, size) in all.iter().flatten() {
            sizes.entry(tool.clone()).or_default().push(*size);
        }
        Some(Self { all, sizes })
    }

    /// A size that the arguments of a tool had; that of one that was never called lies between.
    fn size(&self, tool: &str, random: &mut Random) -> u32 {
        self.sizes
            .get(tool)
            .map_or(150, |sizes| sizes[random.below(sizes.len())])
    }

    /// As many sessions as a detector learns from.
    pub(super) fn learnt(&self, random: &mut Random) -> Vec<Session> {
        let (mut learnt, mut calls) = (Vec::new(), 0);
        while calls < 500 || learnt.len() < 30 {
            let session = self.all[random.below(self.all.len())].clone();
            calls += session.len();
            learnt.push(session);
        }
        learnt
    }

    /// Calls as they follow, a share of them moved to some tools; says after how many `each` said yes, `most` at most.
    pub(super) fn follow(
        &self,
        random: &mut Random,
        moved: impl Fn(usize) -> f64,
        to: &[String],
        most: usize,
        mut each: impl FnMut(&str, u32, bool) -> bool,
    ) -> usize {
        let mut seen = 0;
        loop {
            let session = &self.all[random.below(self.all.len())];
            for (at, (tool, size)) in session.iter().enumerate() {
                seen += 1;
                let (tool, size) = if random.share() < moved(seen) {
                    let tool = to[random.below(to.len())].as_str();
                    (tool, self.size(tool, random))
                } else {
                    (tool.as_str(), *size)
                };
                if each(tool, size, at == 0) || seen >= most {
                    return seen;
                }
            }
        }
    }
}
