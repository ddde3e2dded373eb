//! Dimensions and how much each weighs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Archetype, Assessment, Dimension, Facts, Preset, standard};
use crate::call::{Effect, ToolMeta};

/// Dimensions, their weights, and the thresholds of a preset. Clones share them.
#[derive(Clone)]
pub struct Assessor {
    panel: Arc<Panel>,
    archetypes: Arc<BTreeMap<String, Archetype>>,
    /// What the words in passports mean, beside those that have a meaning anyway.
    kinds: Arc<BTreeMap<String, Archetype>>,
}

impl Assessor {
    /// The fourteen standard dimensions, with a preset's weights and thresholds.
    #[must_use]
    pub fn new(preset: Preset) -> Self {
        let weighed = standard().into_iter().map(|dimension| {
            let weight = preset.weight(dimension.name());
            (Arc::from(dimension), weight)
        });
        let weighed = weighed.collect();
        Self {
            panel: Arc::new(Panel::new(preset, weighed)),
            archetypes: Arc::default(),
            kinds: Arc::default(),
        }
    }

    /// Adds a dimension of your own with a weight of at least 0; one of a standard name takes its place.
    /// A weight that is no number is the largest.
    #[must_use]
    pub fn with(mut self, dimension: impl Dimension, weight: f64) -> Self {
        let weight = if weight.is_nan() { f64::MAX } else { weight.max(0.0) };
        let own = self.panel.weighed.iter().filter(|one| *one.name != *dimension.name());
        let mut all: Vec<(Arc<dyn Dimension>, f64)> = own.map(|one| (Arc::clone(&one.dimension), one.weight)).collect();
        all.push((Arc::new(dimension), weight));
        self.panel = Arc::new(Panel::new(self.panel.preset.clone(), all));
        self
    }

    /// Says of what kind an agent is: what is usual for it until its own calls are learnt. Counts for more than its passport.
    #[must_use]
    pub fn archetype(mut self, agent: impl Into<String>, archetype: Archetype) -> Self {
        Arc::make_mut(&mut self.archetypes).insert(agent.into(), archetype);
        self
    }

    /// Says what an archetype in agents' passports means, in place of what [`Archetype::named`] makes of the word.
    #[must_use]
    pub fn kind(mut self, name: impl Into<String>, archetype: Archetype) -> Self {
        Arc::make_mut(&mut self.kinds).insert(name.into(), archetype);
        self
    }

    /// Which share of such calls is usual for agents of this one's kind; none where nobody said of what kind it is.
    #[must_use]
    pub fn usual(&self, agent: &str, tool: &ToolMeta) -> Option<f64> {
        self.usual_of(agent, None, tool)
    }

    /// As [`usual`](Self::usual), of an agent whose passport names an archetype: it counts where [`archetype`](Self::archetype) says
    /// nothing of the agent.
    #[must_use]
    pub fn usual_of(&self, agent: &str, archetype: Option<&str>, tool: &ToolMeta) -> Option<f64> {
        if self.archetypes.is_empty() && archetype.is_none() {
            return None;
        }
        let said = self.archetypes.get(agent).copied();
        let named = || {
            let name = archetype?;
            self.kinds.get(name).copied().or_else(|| Archetype::named(name))
        };
        Some(said.or_else(named)?.share(Effect::of(tool)))
    }

    /// The preset.
    #[must_use]
    pub fn preset(&self) -> &Preset {
        &self.panel.preset
    }

    /// Names and weights, for the digest of rules.
    pub(crate) fn rules(&self) -> String {
        let weighed = self.panel.weighed.iter();
        let weights: Vec<_> = weighed.map(|one| (&*one.name, one.weight)).collect();
        format!(
            "{:?} {weights:?} {:?} {:?}",
            self.panel.preset, self.archetypes, self.kinds
        )
    }

    /// Assesses a call. Nothing is put into words until somebody asks for them.
    #[must_use]
    pub fn assess(&self, facts: &Facts<'_>) -> Assessment {
        let said = self.panel.weighed.iter().map(|one| one.dimension.assess(facts));
        Assessment::new(&self.panel, facts.trust(), said.collect())
    }
}

impl fmt::Debug for Assessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assessor")
            .field("preset", self.preset())
            .finish_non_exhaustive()
    }
}

/// What an assessment is made by: it stays the same for all calls.
pub(super) struct Panel {
    pub(super) preset: Preset,
    pub(super) weighed: Vec<Weighed>,
    /// The names of all dimensions, sorted: the order in which scores are told.
    pub(super) names: Arc<[Arc<str>]>,
}

/// A dimension, and what need not be asked of it anew for each call.
pub(super) struct Weighed {
    pub(super) name: Arc<str>,
    dimension: Arc<dyn Dimension>,
    pub(super) weight: f64,
    /// How much of a whole concern is taken from the score.
    pub(super) strength: f64,
    pub(super) may_veto: bool,
    /// Where its name stands among all names.
    pub(super) place: usize,
}

impl Panel {
    pub(super) fn new(preset: Preset, dimensions: Vec<(Arc<dyn Dimension>, f64)>) -> Self {
        let mut names: Vec<Arc<str>> = dimensions.iter().map(|(one, _)| one.name().into()).collect();
        names.sort();
        names.dedup();
        let weighed = dimensions.into_iter().map(|(dimension, weight)| {
            let place = names.partition_point(|name| **name < *dimension.name());
            Weighed {
                name: names.get(place).map_or_else(|| dimension.name().into(), Arc::clone),
                may_veto: preset.may_veto(dimension.name()),
                strength: if weight.is_finite() && weight < 1e300 {
                    weight / (1.0 + weight)
                } else {
                    1.0
                },
                dimension,
                weight,
                place,
            }
        });
        let weighed = weighed.collect();
        Self {
            preset,
            weighed,
            names: names.into(),
        }
    }
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panel")
            .field("preset", &self.preset)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
