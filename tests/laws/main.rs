//! One test, or several, for each law that the governed call owns.

mod law_1_no_harness_no_run;
mod law_2_what_was_judged_is_what_runs;
mod law_3_recorded_before_it_runs;
mod law_4_closed_by_default;
