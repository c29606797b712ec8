//! The table of all rules with their texts.

use super::{
    Advice, Rule, batch, data, depth, first, model, optimizer, profile, rate, regularization, stopping,
};

/// The reference of a rule that follows from arithmetic alone and needs no citation.
const ARITHMETIC: &str = "arithmetic";

/// All rules, in the order in which advice is reported.
pub(super) const RULES: &[Rule] = &[
    Rule {
        advice: Advice::NoWeightDecay,
        find: regularization::no_weight_decay,
        why: "a model with this many weights can memorize the training samples",
        instead: "`weight_decay` of the optimizer, dropout, `augment`, `mix`, label smoothing or `early_stop`",
        reference: "Krogh & Hertz 1992",
    },
    Rule {
        advice: Advice::L2WithAdam,
        find: regularization::l2_with_adam,
        why: "the optimizer divides the penalty by the square root of the second moment, so weights with large \
              gradients hardly decay",
        instead: "`AdamW` with `weight_decay`",
        reference: "Loshchilov & Hutter 2019",
    },
    Rule {
        advice: Advice::ConvolutionDropout,
        find: regularization::convolution_dropout,
        why: "neighboring values of a channel are correlated, so the remaining ones reveal what was dropped: the \
              noise slows learning and regularizes little",
        instead: "dropout after `flatten` or a pool, `stochastic_depth`, or a smaller `p`",
        reference: "Tompson et al. 2015; Ghiasi et al. 2018",
    },
    Rule {
        advice: Advice::BatchNormBias,
        find: model::batch_norm_bias,
        why: "batch norm subtracts the mean, which includes the bias: the bias costs memory and an extra pass and has \
              no effect",
        instead: "`bias = false`",
        reference: "Ioffe & Szegedy 2015",
    },
    Rule {
        advice: Advice::SmallBatchNorm,
        find: model::small_batch_norm,
        why: "means and variances of so few samples are noisy, and evaluation uses different ones",
        instead: "a `batch` of at least 16 with a smaller `accumulate`, or `group_norm`",
        reference: "Wu & He 2018",
    },
    Rule {
        advice: Advice::AccumulatedBatchNorm,
        find: model::accumulated_batch_norm,
        why: "gradients accumulate over the whole step, but statistics do not: they still cover only a few samples",
        instead: "a larger `batch` with a smaller `accumulate`, or `group_norm`",
        reference: "Wu & He 2018",
    },
    Rule {
        advice: Advice::DropoutBeforeBatchNorm,
        find: model::dropout_before_batch_norm,
        why: "dropout changes the variance of its output in training only, so the running statistics of batch \
              norm do not match evaluation",
        instead: "dropout after the last batch norm",
        reference: "Li et al. 2019",
    },
    Rule {
        advice: Advice::NormTwice,
        find: model::norm_twice,
        why: "the second norm undoes the scale and shift that the first one learned",
        instead: "keep only one of them",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::ActivationTwice,
        find: model::activation_twice,
        why: "a second activation adds little: a second `relu` changes nothing, others only flatten the slope further",
        instead: "keep only one of them, or put a layer with weights between them",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::LinearTwice,
        find: model::linear_twice,
        why: "a product of two matrices is a matrix: the two layers can express no more than one",
        instead: "put an activation between them, or keep only one of them",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::SymmetricWeights,
        find: depth::symmetric_weights,
        why: "all units of a layer compute the same value and get the same gradient, or none: only biases can make them differ",
        instead: "the default `init`; use `Zeros` only for the last layer of a branch",
        reference: "Goodfellow et al. 2016, 8.4",
    },
    Rule {
        advice: Advice::VanishingSignal,
        find: depth::vanishing_signal,
        why: "the output hardly depends on the input, and gradients shrink as much in the backward pass",
        instead: "`init: He` with `relu`, norms, or residual connections",
        reference: "He et al. 2015",
    },
    Rule {
        advice: Advice::DeepPlainStack,
        find: depth::deep_plain_stack,
        why: "deeper networks of this kind perform worse, even on the training data",
        instead: "residual connections, `x + f(x)`, and norms",
        reference: "He et al. 2016",
    },
    Rule {
        advice: Advice::ReluOutput,
        find: model::relu_output,
        why: "the output is never negative, and where it is 0 its gradient is 0",
        instead: "a linear layer as the last layer",
        reference: "Lu et al. 2020",
    },
    Rule {
        advice: Advice::LooksAhead,
        find: model::looks_ahead,
        why: "the model can copy the token it should predict, and fails when the next tokens are not available",
        instead: "`self_attention(heads = …, causal = true)`",
        reference: "Vaswani et al. 2017, 3.2.3",
    },
    Rule {
        advice: Advice::HighRate,
        find: rate::high_rate,
        why: "training often diverges at such a learning rate, at once or hours later",
        instead: "a lower `lr`; the command `find-lr` suggests a value in the usual range",
        reference: rate::SOURCES,
    },
    Rule {
        advice: Advice::LowRate,
        find: rate::low_rate,
        why: "the weights hardly change",
        instead: "a higher `lr`; the command `find-lr` suggests a value in the usual range",
        reference: rate::SOURCES,
    },
    Rule {
        advice: Advice::ClipWithoutEffect,
        find: optimizer::clip_without_effect,
        why: "clipping changes only the size of a gradient, and the optimizer uses only its sign",
        instead: "another optimizer, or no `clip`",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::DecayEverywhere,
        find: optimizer::decay_everywhere,
        why: "biases and norm parameters are few and hardly overfit; decaying them only weakens their layer",
        instead: "`decay: Decay::Matrices` (the default), and a `Group` for an embedding that should decay",
        reference: "He et al. 2019, 3.1",
    },
    Rule {
        advice: Advice::AttentionWithoutWarmup,
        find: rate::attention_without_warmup,
        why: "second moments are first estimated from few gradients, and attention, above all with norms after the \
              residual sums, often does not recover from the large steps that follow",
        instead: "`schedule: [Warmup { steps: … }, …]`, or `RAdam`",
        reference: "Liu et al. 2020; Xiong et al. 2020",
    },
    Rule {
        advice: Advice::LargeBatchWithoutWarmup,
        find: batch::without_warmup,
        why: "the learning rate that such a batch needs is too high for the first steps",
        instead: "`schedule: [Warmup { epochs: 5 }, …]`",
        reference: "Goyal et al. 2017",
    },
    Rule {
        advice: Advice::LargeScaledRate,
        find: batch::scaled_rate,
        why: "beyond about 8,192 samples results get worse even with a scaled learning rate and a warmup",
        instead: "a smaller `batch` or `accumulate`, or `Lars` or `Lamb`",
        reference: "Goyal et al. 2017; You et al. 2017",
    },
    Rule {
        advice: Advice::RecurrentWithoutClip,
        find: model::recurrent_without_clip,
        why: "gradients through many positions can explode, and one such step undoes the training before it",
        instead: "`clip: GlobalNorm { max: 1.0 }`, or about the mean gradient norm, which `metrics.jsonl` has for \
                  each step",
        reference: "Pascanu et al. 2013",
    },
    Rule {
        advice: Advice::LongPatience,
        find: stopping::long_patience,
        why: "the run takes all its steps, so the key only restores the best weights",
        instead: "a smaller `patience`, or more epochs",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::StopBeforePlateau,
        find: stopping::stop_before_plateau,
        why: "the run ends before a lower learning rate can help",
        instead: "an `early_stop` `patience` of at least twice that of the phase",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::LongAverage,
        find: stopping::long_average,
        why: "evaluation uses the average, which still contains much of the initial weights",
        instead: "a smaller `decay` or `half_life`, or `warmup: true`",
        reference: "Tarvainen & Valpola 2017",
    },
    Rule {
        advice: Advice::LongCheckpointInterval,
        find: stopping::long_checkpoint_interval,
        why: "no checkpoint is ever saved, so an interrupted run cannot be resumed",
        instead: "a smaller `every`, such as `Epochs(1)`, or no `checkpoint`",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::UnscaledInputs,
        find: data::unscaled_inputs,
        why: "initial weights and usual learning rates assume inputs of mean 0 and standard deviation 1",
        instead: "`.with_normalization(Normalization::PerElement)` on the data, `Normalization::Whole` for images, or a norm \
                  as the first layer",
        reference: "LeCun et al. 1998",
    },
    Rule {
        advice: Advice::RoundedColumns,
        find: data::rounded_columns,
        why: "values are stored as f32, which has 24 bits of precision: values close together and far from 0 become equal",
        instead: "`.subtract(column, number)` on the `Csv`, which is computed in f64, or a file in which the column is near 0",
        reference: "Goldberg 1991",
    },
    Rule {
        advice: Advice::ConstantFeatures,
        find: data::constant_features,
        why: "nothing can be learned from them, and a sample with another value reaches untrained weights",
        instead: "remove these columns from the data",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::ClassImbalance,
        find: data::class_imbalance,
        why: "a model that never predicts the rare class still has a low loss and a high accuracy",
        instead: "`weights` of the loss, `sampler: ClassBalanced`, more samples of the rare class, and `F1` among the metrics",
        reference: "Buda et al. 2018",
    },
    Rule {
        advice: Advice::SharedSamples,
        find: data::shared_samples,
        why: "scores on these samples measure memorization, not generalization",
        instead: "data without duplicates, or a split that keeps duplicates together",
        reference: "Barz & Denzler 2020",
    },
    Rule {
        advice: Advice::ShuffledSeries,
        find: data::shuffled_series,
        why: "the model is trained on samples later than those it is evaluated on, so its scores are too optimistic",
        instead: "`.with_split(Split::InOrder { validation: 0.1, test: 0.1 })` on the data",
        reference: "Hyndman & Athanasopoulos 2021, 5.8",
    },
    Rule {
        advice: Advice::ChannelsLast,
        find: data::channels_last,
        why: "`Image<C, H, W>` stores one channel after the other; in another order, kernels and pools do not see neighbors",
        instead: "the values in the order channel, row, column",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::ClassesAsValues,
        find: data::classes_as_values,
        why: "a regression loss penalizes outputs far on the correct side, and its outputs are not probabilities",
        instead: "`Class<2>` and `CrossEntropy`, or `Labels<N>` and `BinaryCrossEntropy`",
        reference: "Bishop 2006, 4.1.3",
    },
    Rule {
        advice: Advice::HighFirstLoss,
        find: first::high_first_loss,
        why: "the first steps are spent on correcting the scale of the outputs",
        instead: "targets of mean 0 and standard deviation 1, or a smaller `init` of the last layer",
        reference: "Karpathy 2019",
    },
    Rule {
        advice: Advice::SamplesMix,
        find: first::samples_mix,
        why: "a prediction depends on the rest of the batch, and training can leak information between samples",
        instead: "operations that do not mix values along the first axis, the batch",
        reference: "Karpathy 2019",
    },
    Rule {
        advice: Advice::UnoptimizedKernels,
        find: profile::unoptimized_kernels,
        why: "each step takes about a hundred times longer; Cargo does not optimize dependencies of a `dev` build \
              by default",
        instead: "`[profile.dev.package.\"*\"]` with `opt-level = 3` and `debug = false` in `Cargo.toml`, or `cargo run --release`",
        reference: "the Cargo book, Profiles",
    },
];
