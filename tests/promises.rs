//! The guarantees of a run and the tests that check them: the rows of `docs/reliability.md`.

/// The path of the page from the root of the repository.
pub const PAGE: &str = "docs/reliability.md";

/// One guarantee.
pub struct Promise {
    /// The guarantee.
    pub promise: &'static str,
    /// The tests that check it, as `module::name`.
    pub tests: &'static [&'static str],
    /// Prefixes of the names of its figures; empty if there are none.
    pub figures: &'static [&'static str],
}

/// The text above the table.
#[must_use]
pub fn head() -> String {
    "# Reliability\n\n\
     This page lists what a run guarantees, the tests that try to break each guarantee, and the counts of the last full \
     run. The command below runs these tests for longer than the test suite does and writes the page. If a test fails, the \
     page stays unchanged.\n\n\
     ```sh\n\
     cargo run --release -p trainspec-tests --bin reliability\n\
     ```\n\n"
        .to_owned()
}

/// All guarantees.
pub const PROMISES: &[Promise] = &[
    Promise {
        promise: "A resumed run produces the same bytes as an uninterrupted one, from every step and for everything that has state",
        tests: &[
            "resume::adam_with_average_and_early_stop_resumes_identically",
            "resume::early_stopped_run_resumes_identically",
            "resume::momentum_with_plateau_and_uneven_accumulation_resumes_identically",
            "resume::f16_with_skipped_steps_resumes_identically",
            "resume::mixup_and_max_norm_resume_identically",
            "resume::tape_engine_resumes_identically",
        ],
        figures: &[],
    },
    Promise {
        promise: "A process that is killed at any instant loses at most the steps since its last checkpoint",
        tests: &[
            "faults::killed_digits_run_resumes_on_planned_engine",
            "faults::killed_digits_run_resumes_on_tape_engine",
            "faults::killed_transformer_run_resumes_on_planned_engine",
            "faults::killed_transformer_run_resumes_on_tape_engine",
            "faults::killed_program_is_resumed_by_command_line",
        ],
        figures: &["killed: "],
    },
    Promise {
        promise: "A signal stops a run after the current step, saves its state and sets its own exit code; a second signal stops it at once",
        tests: &[
            "signals::signaled_run_resumes_by_printed_command",
            "signals::interrupted_run_resumes_from_every_event",
            "signals::signal_interrupts_waiting_for_pipe",
        ],
        figures: &[],
    },
    Promise {
        promise: "A full disk stops a run with an error that gives the reason; the run can be resumed once there is space",
        tests: &[
            "faults::full_file_system_stops_run_with_error",
            "faults::file_size_limit_stops_run_with_error",
        ],
        figures: &["full disk: "],
    },
    Promise {
        promise: "A folder that is not writable is reported before the first step",
        tests: &["faults::read_only_folder_is_rejected"],
        figures: &["read-only folder"],
    },
    Promise {
        promise: "A run is never resumed from a damaged checkpoint; it is resumed from the newest complete one",
        tests: &["faults::damaged_checkpoint_file_is_detected", "resume::damaged_checkpoint_is_skipped"],
        figures: &["damaged: files of a checkpoint"],
    },
    Promise {
        promise: "Damage to other files of a run is harmless or reported, and does not affect the checkpoints",
        tests: &[
            "faults::damaged_run_file_does_not_affect_checkpoints",
            "faults::damaged_model_file_is_rejected",
            "resume::checkpoint_with_truncated_log_is_skipped",
        ],
        figures: &["damaged: other files", "damaged: a model"],
    },
    Promise {
        promise: "`verify` re-runs a run from its start or from any checkpoint, compares every bit with the run folder, and names the first difference",
        tests: &[
            "verify::run_is_verified_from_start_and_from_each_checkpoint",
            "verify::stopped_run_is_verified_to_its_last_step",
            "verify::interrupted_run_is_verified",
            "verify::changed_bit_in_checkpoint_parameter_is_detected",
            "verify::changed_number_in_log_is_detected",
            "verify::changed_hash_in_trace_is_detected",
            "verify::run_resumed_from_changed_weights_is_detected",
        ],
        figures: &[],
    },
    Promise {
        promise: "`replay` returns the model of a run after any step, checked against the run folder",
        tests: &[
            "verify::replayed_model_equals_checkpoint_at_step",
            "verify::replay_is_checked_against_run_folder",
        ],
        figures: &[],
    },
    Promise {
        promise: "A run folder of an older version can be read, resumed and verified; a hundred losses of a fixed run keep their bits",
        tests: &[
            "verify::format_1_folder_is_read_resumed_and_verified",
            "verify::hundred_losses_match_recorded_values",
        ],
        figures: &[],
    },
    Promise {
        promise: "Untrusted files and keys are read or rejected without a panic; memory is bounded by their size, and no other file is touched",
        tests: &[
            "inputs::random_model_files_do_not_panic",
            "inputs::random_run_folders_do_not_panic",
            "inputs::random_csv_files_do_not_panic",
            "inputs::random_idx_files_do_not_panic",
            "inputs::random_settings_do_not_panic",
            "inputs::links_in_run_folder_are_not_followed",
            "inputs::checksum_names_outside_checkpoint_are_rejected",
        ],
        figures: &["inputs: "],
    },
    Promise {
        promise: "Other programs can load an exported model: equal tensors under PyTorch's names, equal outputs",
        tests: &[
            "interop::exported_perceptron_with_normalizer_matches_pytorch",
            "interop::exported_convolution_and_batch_norm_match_pytorch",
            "interop::exported_transformer_matches_pytorch",
            "interop::exported_recurrent_layers_match_pytorch",
            "interop::exported_file_has_sorted_aligned_header",
        ],
        figures: &[],
    },
    Promise {
        promise: "`init_from` initializes a run with the values of a file bit for bit, or rejects the file before the run starts and reports every mismatch",
        tests: &[
            "init_from::every_parameter_is_loaded_from_file",
            "init_from::every_mismatch_is_reported_at_once",
            "init_from::missing_or_damaged_file_is_rejected_before_first_step",
            "init_from::resumed_run_ignores_file_and_rejects_changed_checksum",
        ],
        figures: &[],
    },
    Promise {
        promise: "A checkpoint of another program, model, spec or data set is rejected, and the error names what differs",
        tests: &[
            "resume::changed_spec_is_rejected_with_key_names",
            "resume::checkpoint_of_another_run_is_rejected",
            "resume::changed_data_are_rejected",
            "resume::mismatched_state_is_rejected",
        ],
        figures: &[],
    },
    Promise {
        promise: "A rejected resume leaves the run folder unchanged, byte for byte; the error recommends a spec change only if the saved state fits it",
        tests: &["resume::rejected_resume_leaves_run_unchanged", "resume::mismatched_state_is_rejected"],
        figures: &[],
    },
    Promise {
        promise: "The final weights of a run are on disk before the final evaluation",
        tests: &["faults::failed_final_evaluation_keeps_weights"],
        figures: &[],
    },
    Promise {
        promise: "A file system that cannot lock or sync folders is reported once and used; a disk that fails while a run starts is an error and leaves no empty run folder",
        tests: &[
            "faults::file_system_without_locks_and_folder_sync_is_supported",
            "faults::disk_failure_is_distinguished_from_unsupported_operation",
        ],
        figures: &[],
    },
    Promise {
        promise: "A checkpoint that cannot be read or has another format version is not treated as damaged; one with weights that are not finite is rejected",
        tests: &[
            "resume::unreadable_checkpoint_is_kept_in_place",
            "resume::checkpoint_of_another_format_is_rejected_as_unsupported",
            "resume::checkpoint_with_non_finite_values_is_rejected_with_position",
        ],
        figures: &[],
    },
    Promise {
        promise: "Two processes never write to the same run",
        tests: &["resume::second_process_on_run_folder_is_rejected"],
        figures: &[],
    },
    Promise {
        promise: "A run that needs more memory than is available is rejected before it starts, with both figures",
        tests: &["advice::run_larger_than_memory_is_rejected"],
        figures: &[],
    },
];
