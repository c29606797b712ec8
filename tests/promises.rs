//! What is promised of a run, and the tests that hold it: the rows of `docs/reliability.md`.

/// The page, from the root of the repository.
pub const PAGE: &str = "docs/reliability.md";

/// One promise.
pub struct Promise {
    /// What is promised.
    pub promise: &'static str,
    /// The tests, as `target::name`.
    pub tests: &'static [&'static str],
    /// The beginnings of the names under which figures are counted; none if there is nothing to count.
    pub figures: &'static [&'static str],
}

/// What stands above the table.
#[must_use]
pub fn head() -> String {
    "# Reliability\n\n\
     What is promised of a run, the tests that provoke the contrary, and what they counted when this page was made. The \
     command below runs them, longer than the test suite does, and writes the page; where one fails the page stays as it \
     was.\n\n\
     ```sh\n\
     cargo run --release -p trainspec-tests --bin reliability\n\
     ```\n\n"
        .to_owned()
}

/// All of them.
pub const PROMISES: &[Promise] = &[
    Promise {
        promise: "A run that is resumed ends in the same bytes as one that was never ended, from every step, whatever has state",
        tests: &[
            "resume::adam_with_an_average_and_early_stop",
            "resume::a_run_that_stops_early",
            "resume::momentum_on_a_plateau_in_uneven_windows",
            "resume::f16_with_skipped_steps",
            "resume::mixed_samples_and_bound_weights",
            "resume::the_tape_engine",
        ],
        figures: &[],
    },
    Promise {
        promise: "A process that is killed at any instant loses at most what came after its last checkpoint",
        tests: &[
            "faults::digits_on_the_planned_engine",
            "faults::digits_on_the_tape_engine",
            "faults::a_transformer_on_the_planned_engine",
            "faults::a_transformer_on_the_tape_engine",
            "resume::a_run_that_is_killed_again_and_again",
        ],
        figures: &["killed: "],
    },
    Promise {
        promise: "A signal ends a run after its step, with its state saved and a code of its own; a second one at once",
        tests: &["signals::a_run_goes_on_as_it_says_after_a_signal_at_any_instant"],
        figures: &[],
    },
    Promise {
        promise: "A full disk ends a run with the reason, and it goes on where there is room",
        tests: &["faults::a_file_system_without_room", "faults::a_file_that_cannot_grow"],
        figures: &["full disk: "],
    },
    Promise {
        promise: "A folder that cannot be written is told before the first step",
        tests: &["faults::a_folder_that_is_read_only"],
        figures: &["read-only folder"],
    },
    Promise {
        promise: "A checkpoint with a damaged file is never gone on with; the newest whole one is",
        tests: &[
            "faults::a_damaged_file_of_a_checkpoint_is_seen",
            "resume::a_damaged_checkpoint_is_passed_over",
        ],
        figures: &["damaged: files of a checkpoint"],
    },
    Promise {
        promise: "Damage to other files of a run is harmless or told, and touches no checkpoint",
        tests: &[
            "faults::a_damaged_file_beside_the_checkpoints_does_no_harm",
            "faults::a_damaged_model_is_not_read",
            "resume::a_log_that_is_shorter_than_a_checkpoint_says_passes_it_over",
        ],
        figures: &["damaged: files beside", "damaged: a model"],
    },
    Promise {
        promise: "A checkpoint of another program, model, spec or data set is refused by what differs",
        tests: &[
            "resume::a_changed_spec_is_refused_by_the_names_of_its_keys",
            "resume::what_is_of_another_run_is_refused",
            "resume::other_data_are_refused",
            "resume::a_state_that_does_not_fit_is_refused",
        ],
        figures: &[],
    },
    Promise {
        promise: "Two processes never write one run",
        tests: &["resume::two_runs_do_not_share_a_folder"],
        figures: &[],
    },
    Promise {
        promise: "A run that needs more memory than there is, is refused before it starts, with both figures",
        tests: &["advice::a_machine_that_is_too_small"],
        figures: &[],
    },
];
