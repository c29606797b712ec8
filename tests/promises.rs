//! What is promised of a run, and the tests that hold it: the rows of `docs/reliability.md`.

/// The page, from the root of the repository.
pub const PAGE: &str = "docs/reliability.md";

/// One promise.
pub struct Promise {
    /// What is promised.
    pub promise: &'static str,
    /// The tests, as `module::name`.
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
            "faults::a_program_that_is_taken_up_by_its_command_line",
        ],
        figures: &["killed: "],
    },
    Promise {
        promise: "A signal ends a run after its step, with its state saved and a code of its own; a second one at once",
        tests: &[
            "signals::a_run_goes_on_as_it_says_after_a_signal_at_any_instant",
            "signals::every_instant_is_one_to_go_on_from",
            "signals::who_waits_for_a_pipe_ends_at_a_signal",
        ],
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
        promise: "A record is the run: made again, in whole or from any checkpoint, every bit of it is compared, and what differs is named",
        tests: &[
            "verify::a_run_is_the_same_from_its_start_and_from_each_checkpoint",
            "verify::a_run_that_was_ended_is_the_same_as_far_as_it_went",
            "verify::a_run_that_was_interrupted",
            "verify::a_bit_of_a_parameter_of_a_checkpoint",
            "verify::a_number_of_a_log",
            "verify::a_hash_of_the_trace",
            "verify::a_run_that_went_on_from_other_weights",
        ],
        figures: &[],
    },
    Promise {
        promise: "The model of a run can be had as it was after any step, held against the record",
        tests: &[
            "verify::a_model_is_what_a_checkpoint_at_the_step_would_hold",
            "verify::what_is_replayed_is_what_is_on_record",
        ],
        figures: &[],
    },
    Promise {
        promise: "A run folder of an older version is read, gone on with and verified; a hundred losses keep their bits",
        tests: &["verify::a_folder_of_format_1_is_of_use", "verify::a_hundred_losses_are_what_they_were"],
        figures: &[],
    },
    Promise {
        promise: "Files and keys from outside are read or refused: no panic, no more memory than their size allows, nothing done elsewhere",
        tests: &[
            "inputs::model_files_of_any_bytes",
            "inputs::run_folders_of_any_bytes",
            "inputs::tables_of_any_bytes",
            "inputs::pictures_of_any_bytes",
            "inputs::keys_and_values_of_any_kind",
            "inputs::links_lead_nowhere",
            "inputs::no_name_leads_out_of_a_checkpoint",
        ],
        figures: &["inputs: "],
    },
    Promise {
        promise: "An exported model is one to other programs: equal tensors under PyTorch's names, equal outputs",
        tests: &[
            "interop::a_perceptron_with_normalized_inputs",
            "interop::convolution_and_batch_norm",
            "interop::a_transformer",
            "interop::recurrent_layers",
            "interop::a_file_is_one_that_others_expect",
        ],
        figures: &[],
    },
    Promise {
        promise: "A run begins with the numbers of a file bit for bit, or is refused before it starts by all that does not fit",
        tests: &[
            "init_from::every_parameter_is_that_of_the_file",
            "init_from::all_that_does_not_fit_is_told_at_once",
            "init_from::a_file_that_is_not_there_or_damaged_is_told_before_the_first_step",
            "init_from::a_resumed_run_does_not_read_the_file_and_notices_another_one",
        ],
        figures: &[],
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
        promise: "A run whose resume is refused is left as it was, byte for byte; only a change that the saved state fits is recommended",
        tests: &[
            "resume::a_refused_resume_leaves_a_complete_run_as_it_was",
            "resume::a_state_that_does_not_fit_is_refused",
        ],
        figures: &[],
    },
    Promise {
        promise: "The weights that a run ends with are on the disk before they are evaluated for the last time",
        tests: &["faults::an_evaluation_that_fails_at_the_end_loses_no_weights"],
        figures: &[],
    },
    Promise {
        promise: "A file system without locks or syncs of folders is reported once and used; a disk that fails while a run starts is an error, and leaves no empty run folder",
        tests: &[
            "faults::a_file_system_without_locks_and_syncs_of_folders",
            "faults::a_disk_that_fails_is_told_from_a_file_system_that_cannot",
        ],
        figures: &[],
    },
    Promise {
        promise: "A checkpoint that cannot be read, or is of another version, is not taken for a damaged one; one with weights that are no numbers is refused",
        tests: &[
            "resume::a_checkpoint_that_cannot_be_read_is_left_where_it_is",
            "resume::a_checkpoint_of_another_format_is_not_damaged",
            "resume::a_checkpoint_without_numbers_is_refused_by_parameter_and_place",
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
