//! The score is monotone, and the verdict with it.

use proptest::prelude::*;

use super::{Assessed, Assessor, Dimension, Facts, Finding, Preset, decide};
use crate::call::{Risk, ToolMeta};
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

fn profile() -> impl Strategy<Value = Vec<Assessed>> {
    let finding = (0.0..=1.0_f64, 0.0..=1.0_f64, prop::bool::weighted(0.05)).prop_map(|(concern, confidence, veto)| {
        let finding = Finding::new(concern, "because").with_confidence(confidence);
        if veto { finding.veto() } else { finding }
    });
    let names = super::standard()
        .into_iter()
        .map(|dimension| dimension.name().to_owned());
    let each: Vec<_> = names
        .map(|name| {
            (prop::option::of(finding.clone()), 0.0..=5.0_f64).prop_map(move |(finding, weight)| Assessed {
                name: name.clone(),
                weight,
                finding,
            })
        })
        .collect();
    each
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
        let before = decide(&preset, trust, profile.clone());
        let mut worse = profile;
        let mut less = trust;
        let one = &mut worse[at];
        match (what, &mut one.finding) {
            (0, _) => less = trust * (1.0 - by),
            (1, Some(finding)) => finding.concern += (1.0 - finding.concern) * by,
            (2, Some(finding)) => finding.confidence += (1.0 - finding.confidence) * by,
            (3, Some(finding)) => finding.veto = true,
            (4, None) => one.finding = Some(Finding::new(by, "one more")),
            _ => one.weight += by * 10.0,
        }
        let after = decide(&preset, less, worse);
        prop_assert!(after.ucs() <= before.ucs() + 1e-12, "{} after {}", after.ucs(), before.ucs());
        prop_assert!(after.decision() >= before.decision(), "{} after {}", after.decision(), before.decision());
        prop_assert!((0.0..=1.0).contains(&after.ucs()));
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
        let one = assessment.dimensions().iter().find(|one| one.name() == name).unwrap();
        assert_eq!(
            (one.score(), one.weight(), one.reason()),
            (None, 0.0, "not_assessed"),
            "{name}"
        );
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
