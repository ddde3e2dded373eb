//! The score is monotone, and the verdict with it.

use proptest::prelude::*;

use std::sync::Arc;

use super::assessor::Panel;
use super::{Archetype, Assessed, Assessment, Assessor, Dimension, Facts, Finding, Preset};
use crate::call::{ArgKind, Effect, Risk, ToolMeta};
use crate::drift::Severity;
use crate::verdict::Decision;

fn presets() -> [Preset; 6] {
    [
        Preset::shell(),
        Preset::filesystem(),
        Preset::email(),
        Preset::browser(),
        Preset::calendar(),
        Preset::general(),
    ]
}

/// What a standard dimension said, and how much it weighs.
type Said = (Option<Finding>, f64);

fn profile() -> impl Strategy<Value = Vec<Said>> {
    let finding = (0.0..=1.0_f64, 0.0..=1.0_f64, prop::bool::weighted(0.05)).prop_map(|(concern, confidence, veto)| {
        let finding = Finding::new(concern, "because").with_confidence(confidence);
        if veto { finding.veto() } else { finding }
    });
    let number = super::standard().len();
    prop::collection::vec((prop::option::of(finding), 0.0..=5.0_f64), number..=number)
}

fn assessed(preset: &Preset, trust: f64, profile: Vec<Said>) -> Assessment {
    let (findings, weights): (Vec<_>, Vec<_>) = profile.into_iter().unzip();
    let dimensions = super::standard().into_iter().map(Arc::from);
    let panel = Panel::new(preset.clone(), dimensions.zip(weights).collect());
    Assessment::new(&Arc::new(panel), trust, findings.into())
}

proptest! {
    #[test]
    fn more_concern_more_weight_or_less_trust_never_helps(
        profile in profile(),
        trust in 0.0..=1.0_f64,
        preset in prop::sample::select(presets().to_vec()),
        at in 0..14_usize,
        by in 0.0..=1.0_f64,
        what in 0..5,
    ) {
        let before = assessed(&preset, trust, profile.clone());
        let mut worse = profile;
        let mut less = trust;
        let one = &mut worse[at];
        match (what, &mut one.0) {
            (0, _) => less = trust * (1.0 - by),
            (1, Some(finding)) => finding.concern += (1.0 - finding.concern) * by,
            (2, Some(finding)) => finding.confidence += (1.0 - finding.confidence) * by,
            (3, Some(finding)) => finding.veto = true,
            (4, None) => one.0 = Some(Finding::new(by, "one more")),
            _ => one.1 += by * 10.0,
        }
        let after = assessed(&preset, less, worse);
        prop_assert!(after.ucs() <= before.ucs() + 1e-12, "{} after {}", after.ucs(), before.ucs());
        prop_assert!(after.decision() >= before.decision(), "{} after {}", after.decision(), before.decision());
        prop_assert!((0.0..=1.0).contains(&after.ucs()));
    }

    #[test]
    fn one_more_fact_against_a_call_never_helps(
        trust in 0.0..=1.0_f64,
        against in 0.0..60.0_f64,
        in_scope in prop::option::of(any::<bool>()),
        undeclared in any::<bool>(),
        policy in prop::option::of(0..3_usize),
        drift in prop::option::of(0..4_usize),
        which in 0..7,
        screen in prop::option::of(0..3_usize),
        preset in prop::sample::select(presets().to_vec()),
        meta in 0..4_usize,
    ) {
        const DECISIONS: [Decision; 3] = [Decision::Allow, Decision::Escalate, Decision::Deny];
        const SEVERITIES: [Option<Severity>; 4] =
            [None, Some(Severity::Moderate), Some(Severity::High), Some(Severity::Critical)];
        let metas = [
            ToolMeta::new("a").read_only().with_risk(Risk::Low),
            ToolMeta::new("b"),
            ToolMeta::new("c").reversible().with_risk(Risk::High),
            ToolMeta::new("d").irreversible().with_risk(Risk::Critical).with_argument("command", ArgKind::Shell),
        ];
        fn screened(facts: Facts<'_>, screen: Option<usize>) -> Facts<'_> {
            match screen {
                Some(screen) => facts.with_screen(DECISIONS[screen]),
                None => facts,
            }
        }
        let facts = |scope: Option<bool>, undeclared, policy: Option<usize>, drift: Option<usize>, trust, against| {
            let mut facts = Facts::of(&metas[meta]).with_trust(trust).with_evidence_against(against);
            if let Some(scope) = scope {
                facts = facts.with_scope(scope);
            }
            if undeclared {
                facts = facts.with_undeclared_name();
            }
            if let Some(policy) = policy {
                facts = facts.with_policy(DECISIONS[policy]);
            }
            if let Some(drift) = drift {
                facts = facts.with_drift(SEVERITIES[drift]);
            }
            facts
        };
        let assessor = Assessor::new(preset);
        let before = assessor.assess(&screened(facts(in_scope, undeclared, policy, drift, trust, against), screen));
        let next = |at: Option<usize>, most: usize| Some(at.map_or(0, |at| (at + 1).min(most)));
        let worse = match which {
            0 => facts(Some(false), undeclared, policy, drift, trust, against),
            1 => facts(in_scope, true, policy, drift, trust, against),
            2 => facts(in_scope, undeclared, next(policy, 2), drift, trust, against),
            3 => facts(in_scope, undeclared, policy, next(drift, 3), trust, against),
            4 => facts(in_scope, undeclared, policy, drift, trust * 0.7, against),
            5 => facts(in_scope, undeclared, policy, drift, trust, against + 3.0),
            _ => facts(in_scope, undeclared, policy, drift, trust, against),
        };
        let after = assessor.assess(&screened(worse, if which == 6 { next(screen, 2) } else { screen }));
        prop_assert!(after.ucs() <= before.ucs(), "{which}: {} after {}", after.ucs(), before.ucs());
        prop_assert!(after.decision() >= before.decision(), "{which}: {} after {}", after.decision(), before.decision());
    }

    #[test]
    fn worse_facts_never_lead_to_a_milder_verdict(trust in 0.0..=1.0_f64, against in 0.0..100.0_f64, drop in 0.0..=1.0_f64) {
        for preset in presets() {
            let assessor = Assessor::new(preset);
            for meta in [ToolMeta::new("a").read_only(), ToolMeta::new("b"), ToolMeta::new("c").irreversible().with_risk(Risk::Critical)] {
                let mild = Facts::of(&meta).with_trust(trust).with_evidence_against(against).with_drift(None);
                let hard = mild.clone().with_trust(trust * drop).with_evidence_against(against * 2.0).with_drift(Some(Severity::High));
                let (mild, hard) = (assessor.assess(&mild), assessor.assess(&hard));
                prop_assert!(hard.ucs() <= mild.ucs() && hard.decision() >= mild.decision());
            }
        }
    }
}

#[test]
fn what_nobody_knows_is_not_assessed_and_weighs_nothing() {
    let meta = ToolMeta::new("look").read_only();
    let assessment = Assessor::new(Preset::general()).assess(&Facts::of(&meta));
    assert_eq!(assessment.dimensions().len(), 14);
    for name in [
        "ethical_alignment",
        "jurisdictional_compliance",
        "temporal_compliance",
        "behavioral_consistency",
    ] {
        let one = assessment.dimensions().find(|one| one.name() == name).unwrap();
        assert_eq!(
            (one.score(), one.weight(), one.reason()),
            (None, 0.0, "not_assessed"),
            "{name}"
        );
    }
}

#[test]
fn an_archetype_counts_until_the_agent_is_watched_and_a_rarer_call_is_a_larger_concern() {
    let assessor = Assessor::new(Preset::general()).archetype("analyst", Archetype::reader());
    let pay = ToolMeta::new("pay").with_risk(Risk::High).reversible();
    let facts = |usual| Facts::of(&pay).with_trust(0.9).with_usual(usual);
    let concern = |facts: &Facts<'_>| {
        let assessment = assessor.assess(facts);
        let mut all = assessment.dimensions();
        all.find(|one| one.name() == "behavioral_consistency")
            .and_then(|one| Assessed::score(&one))
    };
    assert_eq!(assessor.usual("analyst", &pay), Some(0.0));
    assert_eq!(assessor.usual("another", &pay), None);
    assert_eq!(concern(&facts(None)), None);
    assert_eq!(concern(&facts(Some(0.0))), Some(0.5));
    assert_eq!(concern(&facts(Some(0.2))), Some(1.0));
    assert_eq!(
        concern(&facts(Some(0.0)).with_drift(None)),
        Some(1.0),
        "what was learnt counts for more"
    );
    let mut last = 1.0;
    for share in [0.0, 0.01, 0.03, 0.05, 1.0] {
        let concern = 1.0 - concern(&facts(Some(share))).unwrap();
        assert!(concern <= last, "{share}");
        last = concern;
    }
    for odd in [
        Archetype::new(f64::NAN, -1.0, f64::INFINITY),
        Archetype::new(0.0, 0.0, 0.0),
    ] {
        assert_eq!(odd.share(Effect::Read), 0.0);
    }
}

struct NoExports;

impl Dimension for NoExports {
    fn name(&self) -> &'static str {
        "jurisdictional_compliance"
    }

    fn assess(&self, facts: &Facts<'_>) -> Option<Finding> {
        (facts.meta().name() == "export").then(|| Finding::new(1.0, "data may not leave the country").veto())
    }
}

#[test]
fn an_own_dimension_takes_the_place_of_its_name_and_may_veto() {
    let assessor = Assessor::new(Preset::calendar()).with(NoExports, 2.0);
    let export = ToolMeta::new("export").read_only();
    let assessment = assessor.assess(&Facts::of(&export).with_trust(1.0));
    assert_eq!((assessment.decision(), assessment.tier()), (Decision::Deny, 1));
    assert!(assessment.explanation().contains("may not leave the country"));
    assert_eq!(assessment.dimensions().len(), 14);
    let import = ToolMeta::new("import").read_only();
    assert_eq!(assessor.assess(&Facts::of(&import)).decision(), Decision::Allow);
}

#[test]
fn dimensions_that_were_added_before_stay_when_a_shared_assessor_gets_another() {
    struct Extra(&'static str);
    impl Dimension for Extra {
        fn name(&self) -> &str {
            self.0
        }

        fn assess(&self, _facts: &Facts<'_>) -> Option<Finding> {
            Some(Finding::new(0.25, "extra"))
        }
    }
    let first = Assessor::new(Preset::general()).with(Extra("a_first"), 1.0);
    let both = first.clone().with(Extra("z_second"), 1.0);
    let look = ToolMeta::new("look").read_only();
    let assessment = both.assess(&Facts::of(&look));
    assert_eq!(first.assess(&Facts::of(&look)).dimensions().len(), 15);
    assert_eq!(assessment.dimensions().len(), 16);
    let scores = assessment.scores();
    let told: Vec<_> = scores.dimensions().collect();
    assert_eq!(told.first(), Some(&("a_first", 750_000)));
    assert_eq!(told.last(), Some(&("z_second", 750_000)));
    for one in assessment.dimensions() {
        let score = told
            .iter()
            .find(|(name, _)| *name == one.name())
            .map(|(_, score)| *score);
        assert_eq!(
            score,
            one.score().map(|score| (score * 1e6).round() as u32),
            "{}",
            one.name()
        );
    }
}

#[test]
fn each_tier_says_what_would_have_to_change() {
    let assessor = Assessor::new(Preset::filesystem());
    let wipe = ToolMeta::new("wipe").irreversible().with_risk(Risk::Critical);
    let denied = assessor.assess(&Facts::of(&wipe).with_trust(0.1).with_evidence_against(50.0));
    assert_eq!((denied.decision(), denied.tier()), (Decision::Deny, 2));
    assert!(denied.explanation().contains("without `"), "{}", denied.explanation());
    let high = ToolMeta::new("pay").with_risk(Risk::High).reversible();
    let trusted = assessor.assess(&Facts::of(&high).with_trust(0.9));
    let new = assessor.assess(&Facts::of(&high).with_trust(0.5));
    assert_eq!(
        (trusted.decision(), trusted.tier()),
        (Decision::Allow, 2),
        "{}",
        trusted.explanation()
    );
    assert_eq!(
        (new.decision(), new.tier()),
        (Decision::Escalate, 3),
        "{}",
        new.explanation()
    );
    assert!(new.explanation().contains("with that trust"));
    assert!(trusted.explanation().contains("would be escalated below"));
}
