//! Predictions are bit-identical to an evaluation, on any number of threads, and inputs are validated.

use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use trainspec::data::{Dataset, InMemory, Normalization};
use trainspec::layer::{Init, Layer, OutputRule, Parameter, Role};
use trainspec::op::{Backward, Forward, Kernel, Lowering, Prepared, WriteMode};
use trainspec::prelude::*;
use trainspec::{CheckResult, Config, InputKind, Kind, Pass, Result, Shape, TrainedModel, engine};
use trainspec_kernels::simd::{Level, at_level};
use trainspec_kernels::threads::never_alone;

#[model]
fn Convolutions(image: Image<2, 8, 8>) -> Logits<3> {
    let x = image.conv2d(out = 8, kernel = 3, padding = 1).batch_norm().relu().max_pool2d(kernel = 2);
    x.conv2d(out = 8, kernel = 3, padding = 1).batch_norm().relu().flatten().dropout(p = 0.5).linear(out = 3)
}

/// A plain convolution, one with minimal filtering, and others: with a stride, in groups, without a bias.
#[model]
fn Filtered(image: Image<2, 8, 8>) -> Logits<3> {
    let x = image.conv2d(out = 32, kernel = 1).relu().conv2d(out = 32, kernel = 3, padding = 1).relu();
    let x = x.conv2d(out = 36, kernel = 3, stride = 2, bias = false).group_norm(groups = 4);
    x.conv2d(out = 6, kernel = 2, groups = 2).relu().flatten().linear(out = 70, bias = false).linear(out = 3)
}

#[model]
fn Recurrent(tokens: Tokens<5, 4>) -> TokenLogits<5> {
    let x = tokens.embedding(out = 16).self_attention(heads = 4, bias = false).gru(out = 33);
    x.lstm(out = 7, bias = false).gru(out = 6, bias = false).linear(out = 5)
}

#[model]
fn Tokenwise(tokens: Tokens<5, 4>) -> TokenLogits<5> {
    let x = tokens.embedding(out = 16) + tokens.position_embedding(out = 16);
    (x + x.layer_norm().self_attention(heads = 2)).lstm(out = 12).linear(out = 5)
}

#[model]
fn Affine(x: Features<3>) -> Values<2> {
    x.linear(out = 2)
}

const SAMPLES: usize = 200;

fn pixels() -> Vec<f32> {
    (0..SAMPLES as u32 * 128).map(|i| (i.wrapping_mul(2_654_435_761) >> 16) as f32 / 1000.0).collect()
}

fn images() -> Result<impl Dataset<Input = Image<2, 8, 8>, Target = Class<3>>> {
    let data = InMemory::new(pixels(), (0..SAMPLES as u32).map(|i| i % 3).collect())?;
    Ok(data.with_normalization(Normalization::PerElement))
}

fn tokens() -> Vec<u32> {
    (0..SAMPLES as u32 * 4).map(|i| i * 7919 % 13 % 5).collect()
}

fn echo() -> Result<InMemory<Tokens<5, 4>, Tokens<5, 4>>> {
    InMemory::new(tokens(), tokens())
}

fn points() -> Result<InMemory<Features<3>, Values<2>>> {
    InMemory::new((0..60).map(|i| i as f32).collect(), (0..40).map(|i| i as f32).collect())
}

train! { Pictures { model: Convolutions, data: images(), batch: 32, steps: 8 } }
train! { Filters { model: Filtered, data: images(), batch: 32, steps: 4 } }
train! { Recall { model: Recurrent, data: echo(), batch: 32, steps: 4 } }
train! { Echo { model: Tokenwise, data: echo(), batch: 32, steps: 4 } }
train! { Points { model: Affine, data: points(), batch: 8, steps: 2 } }

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// Returns the evaluation output of the engine of a run for these samples.
macro_rules! evaluated {
    ($training:expr, $model:expr, $indices:expr) => {{
        let mut training = $training;
        let (graph, data) = (training.graph().unwrap(), training.data().unwrap());
        let mut engine = engine::open(&graph, training.settings().unwrap()).unwrap();
        let parameters: Vec<_> = $model.parameters().map(|(_, tensor)| tensor.clone()).collect();
        engine.set_parameters(&parameters).unwrap();
        engine.evaluate(&data.batch($indices).unwrap()).unwrap();
        bits(&engine.predictions(0).unwrap())
    }};
}

#[test]
fn predictions_are_bit_identical_to_evaluations() {
    let pictures = Pictures::experiment().without_folder().run().unwrap().model;
    let filters = Filters::experiment().without_folder().run().unwrap().model;
    let echo = Echo::experiment().without_folder().run().unwrap().model;
    let recall = Recall::experiment().without_folder().run().unwrap().model;
    let (pixels, tokens) = (pixels(), tokens());
    for size in [1, 2, 31, 32, SAMPLES] {
        let indices: Vec<_> = (0..size).collect();
        let expected = evaluated!(Pictures::experiment(), pictures, &indices);
        let input = &pixels[..size * 128];
        assert_eq!(bits(&pictures.predict(input).unwrap()), expected, "{size} images");
        let tensor = Tensor::from_slice(input, (size, 2, 8, 8), &Device::Cpu).unwrap();
        let output = pictures.predict_tensor(&tensor).unwrap();
        assert_eq!(output.dims(), [size, 3]);
        assert_eq!(bits(&output.flatten_all().unwrap().to_vec1().unwrap()), expected, "{size} images");

        let expected = evaluated!(Filters::experiment(), filters, &indices);
        assert_eq!(bits(&filters.predict(input).unwrap()), expected, "{size} filtered images");

        let expected = evaluated!(Recall::experiment(), recall, &indices);
        let input = &tokens[..size * 4];
        assert_eq!(bits(&recall.predict(input).unwrap()), expected, "{size} recalled sequences");

        let expected = evaluated!(Echo::experiment(), echo, &indices);
        let input = &tokens[..size * 4];
        assert_eq!(bits(&echo.predict(input).unwrap()), expected, "{size} sequences");
        let output =
            echo.predict_tensor(&Tensor::from_slice(input, (size, 4), &Device::Cpu).unwrap()).unwrap();
        assert_eq!(output.dims(), [size, 4, 5]);
        assert_eq!(bits(&output.flatten_all().unwrap().to_vec1().unwrap()), expected, "{size} sequences");
    }
}

#[test]
fn predictions_do_not_depend_on_threads_or_concurrent_calls() {
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    let model = shared(Pictures::experiment().without_folder().run().unwrap().model);
    let pixels = pixels();
    let expected = bits(&model.predict(&pixels).unwrap());
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| never_alone(|| bits(&model.predict(&pixels).unwrap())));
        assert_eq!(found, expected, "{threads} threads");
    }
    // Weights are packed for the level of the first prediction.
    for &level in Level::available() {
        let found = at_level(level, || bits(&model.predict(&pixels).unwrap()));
        assert_eq!(found, expected, "{level:?}");
    }
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let (model, pixels, expected) = (model.clone(), &pixels, &expected);
            scope.spawn(move || {
                for call in 0..20 {
                    let size = (thread * 31 + call * 17) % SAMPLES + 1;
                    let found = model.predict(&pixels[..size * 128]).unwrap();
                    assert_eq!(bits(&found), expected[..size * 3], "{size} images in thread {thread}");
                }
            });
        }
    });
}

/// The first calls of a model at once, on the program's threads and in the pool.
#[test]
fn concurrent_first_predictions_are_bit_identical() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let trained = Filters::experiment().without_folder().run().unwrap().model;
    trained.save(&path).unwrap();
    let pixels = pixels();
    let expected = bits(&trained.predict(&pixels).unwrap());
    for attempt in 0..5 {
        let model = Filters::experiment().load(&path).unwrap();
        let start = std::sync::Barrier::new(4);
        let check = |size: usize| {
            let found = model.predict(&pixels[..size * 128]).unwrap();
            assert_eq!(bits(&found), expected[..size * 3], "{size} images, attempt {attempt}");
        };
        std::thread::scope(|scope| {
            for thread in 1..4 {
                let (start, check) = (&start, &check);
                scope.spawn(move || {
                    start.wait();
                    (1..4).for_each(|call| check(thread * call));
                });
            }
            start.wait();
            (1..20_usize).into_par_iter().for_each(check);
        });
    }
}

/// `y = gain x`, whose kernel counts what it prepares and receives.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Amplifier {}
pub use Amplifier as amplifier;

static PREPARED: AtomicUsize = AtomicUsize::new(0);
static RECEIVED: AtomicUsize = AtomicUsize::new(0);

impl Config for Amplifier {
    const NAME: &'static str = "amplifier";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Amplifier {
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        match input.reals() {
            Ok(()) => Ok(input),
            Err(error) => Err(error),
        }
    }
}

impl Layer for Amplifier {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn parameters(&self, _: &[Shape]) -> Vec<Parameter> {
        vec![Parameter::new("gain", &[1], Role::Norm, Init::Ones)]
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::kernel(*self)
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        Ok(inputs[0].broadcast_mul(pass.parameter("gain")?)?)
    }
}

impl Kernel for Amplifier {
    fn prepare(&self, parameters: &[Vec<f32>]) -> Option<Prepared> {
        PREPARED.fetch_add(1, Ordering::Relaxed);
        Some(Prepared::new(parameters[0][0]))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let prepared = pass.prepared.and_then(Prepared::get::<f32>);
        RECEIVED.fetch_add(usize::from(prepared.is_some()), Ordering::Relaxed);
        let gain = prepared.copied().unwrap_or(pass.parameters[0][0]);
        for (y, x) in pass.output.iter_mut().zip(pass.inputs[0].floats()) {
            *y = gain * x;
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let products = pass.inputs[0].floats().iter().zip(&*pass.d).map(|(x, d)| x * d);
        let gradient = products.sum::<f32>();
        let gain = &mut pass.gradients[0][0];
        *gain = if pass.onto == WriteMode::Accumulate { *gain + gradient } else { gradient };
    }
}

#[model]
fn Amplified(x: Features<3>) -> Values<2> {
    x.amplifier().linear(out = 2)
}

train! { Loud { model: Amplified, data: points(), batch: 8, epochs: 2, optimizer: Sgd { lr: 1e-6 } } }

/// Training and evaluations, in which the parameters change, prepare nothing.
#[test]
fn kernel_prepares_once_for_all_predictions_of_a_model() {
    let count = || [&PREPARED, &RECEIVED].map(|count| count.load(Ordering::Relaxed));
    let run = Loud::experiment().without_folder().run().unwrap();
    assert_eq!(count(), [0, 0]);
    let (_, gain) = run.model.parameters().find(|(path, _)| *path == "amplifier_1.gain").unwrap();
    assert_ne!(gain.to_vec1::<f32>().unwrap(), [1.0]);
    let expected = run.model.predict(&[1.0, 2.0, 3.0]).unwrap();
    let clone = run.model.clone();
    std::thread::scope(|scope| {
        for size in 1..4 {
            let (model, expected) = (&clone, &expected);
            scope.spawn(move || {
                let found = model.predict(&[1.0, 2.0, 3.0].repeat(size)).unwrap();
                assert_eq!(found, expected.repeat(size));
            });
        }
    });
    assert_eq!(count(), [1, 4]);
}

fn said<T>(result: Result<T>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn tokens_are_converted_exactly_or_rejected_with_position() {
    let model = Echo::experiment().without_folder().run().unwrap().model;
    let tokens = Tensor::from_slice(&[0_u32, 1, 2, 3, 4, 4, 0, 1], (2, 4), &Device::Cpu).unwrap();
    let flat = |tensor: Tensor| bits(&tensor.flatten_all().unwrap().to_vec1().unwrap());
    let expected = flat(model.predict_tensor(&tokens).unwrap());
    for dtype in [DType::U8, DType::I64] {
        let found = flat(model.predict_tensor(&tokens.to_dtype(dtype).unwrap()).unwrap());
        assert_eq!(found, expected, "{dtype:?}");
    }
    let range = |found: &str| {
        format!(
            "data: sample 1 (from 0): element 2 of the input is {found}; expected a whole number from 0 to 4"
        )
    };
    for wrong in [6, u32::MAX] {
        let problem = said(model.predict(&[0, 1, 2, 3, 4, 4, wrong, 1]));
        assert_eq!(problem, range(&wrong.to_string()));
    }
    let bytes = Tensor::from_slice(&[0_u8, 1, 2, 3, 4, 4, 255, 1], (2, 4), &Device::Cpu).unwrap();
    assert_eq!(said(model.predict_tensor(&bytes)), range("255"));
    let negative = Tensor::from_slice(&[0_i64, 1, 2, 3, 4, 4, -1, 1], (2, 4), &Device::Cpu).unwrap();
    assert_eq!(said(model.predict_tensor(&negative)), range("-1"));
    let problem = said(model.predict_tensor(&tokens.to_dtype(DType::F32).unwrap()));
    assert!(problem.contains("the tensor is F32; expected U32, U8 or I64"), "{problem}");
    let problem = said(model.predict(&[0, 1, 2]));
    assert!(problem.contains("takes samples of 4 values"), "{problem}");
}

#[test]
fn input_float_type_does_not_change_predictions() {
    fn check<M, I: InputKind<Element = f32>, O: Kind<Element = f32>>(model: &TrainedModel<M>, axes: &[usize])
    where
        M: Model<Input = I, Output = O>,
    {
        let count: usize = axes.iter().product();
        // Integers up to 255, which every type can represent.
        let numbers: Vec<f32> = (0..count).map(|i| (i % 251) as f32).collect();
        let tensor = Tensor::from_slice(&numbers, axes, &Device::Cpu).unwrap();
        let flat = |tensor: Tensor| bits(&tensor.flatten_all().unwrap().to_vec1().unwrap());
        let expected = bits(&model.predict(&numbers).unwrap());
        for dtype in [DType::F32, DType::F64, DType::F16, DType::BF16, DType::U8] {
            let found = flat(model.predict_tensor(&tensor.to_dtype(dtype).unwrap()).unwrap());
            assert_eq!(found, expected, "{dtype:?}");
        }
        for dtype in [DType::U32, DType::I64] {
            let problem = said(model.predict_tensor(&tensor.to_dtype(dtype).unwrap()));
            assert!(problem.contains(&format!("takes real numbers; the tensor is {dtype:?}")), "{problem}");
        }
        for wrong in [f32::NAN, f32::INFINITY] {
            let mut numbers = numbers.clone();
            numbers[count - 1] = wrong;
            let problem = said(model.predict(&numbers));
            let (sample, element) = (axes[0] - 1, count / axes[0] - 1);
            let expected = format!(
                "data: sample {sample} (from 0): element {element} of the input is {wrong}; expected a finite number"
            );
            assert_eq!(problem, expected);
        }
        let too_large = tensor.to_dtype(DType::F64).unwrap().affine(1e300, 0.0).unwrap();
        assert!(said(model.predict_tensor(&too_large)).contains("expected a finite number"));
    }
    check(&Pictures::experiment().without_folder().run().unwrap().model, &[2, 2, 8, 8]);
    check(&Points::experiment().without_folder().run().unwrap().model, &[4, 3]);
}

#[test]
fn input_infinite_after_normalization_is_rejected() {
    fn narrow() -> Result<impl Dataset<Input = Features<3>, Target = Values<2>>> {
        let inputs = (0..60).map(|i| i as f32 * 1e-6).collect();
        let data = InMemory::new(inputs, (0..40).map(|i| i as f32).collect())?;
        Ok(data.with_normalization(Normalization::Whole))
    }
    train! { Narrow { model: Affine, data: narrow(), batch: 8, steps: 1 } }
    let model = Narrow::experiment().without_folder().run().unwrap().model;
    let problem = said(model.predict(&[0.0, 0.0, 0.0, 0.0, 3e38, 0.0]));
    assert!(
        problem.starts_with("data: sample 1 (from 0): element 1 of the input is 3")
            && problem.contains("which normalizes to inf"),
        "{problem}"
    );
}

#[test]
fn prediction_of_empty_batch_is_empty() {
    let pictures = Pictures::experiment().without_folder().run().unwrap().model;
    assert_eq!(pictures.predict(&[]).unwrap(), [0.0; 0]);
    let none = Tensor::zeros((0, 2, 8, 8), DType::F32, &Device::Cpu).unwrap();
    assert_eq!(pictures.predict_tensor(&none).unwrap().dims(), [0, 3]);
    assert_eq!(Echo::experiment().without_folder().run().unwrap().model.predict(&[]).unwrap(), [0.0; 0]);
    assert_eq!(Points::experiment().without_folder().run().unwrap().model.predict(&[]).unwrap(), [0.0; 0]);
}

/// Seen to fail: a file with NaN was read without an error, and so was a variance below 0.
#[test]
fn model_file_with_non_finite_values_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    Pictures::experiment().without_folder().run().unwrap().model.export(&path).unwrap();
    let whole = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let with = |name: &str, value: f32| {
        let mut tensors = whole.clone();
        let tensor = &tensors[name];
        let mut numbers: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
        numbers[1] = value;
        let tensor = Tensor::from_vec(numbers, tensor.shape(), &Device::Cpu).unwrap();
        tensors.insert(name.to_owned(), tensor);
        candle_core::safetensors::save(&tensors, &path).unwrap();
        let loaded = said(Convolutions::load(&path));
        assert_eq!(said(Pictures::experiment().load(&path)), loaded);
        let initialized = Pictures::experiment().set("init_from", path.to_str().unwrap()).unwrap();
        let initialized = said(initialized.without_folder().check());
        assert!(initialized.contains(&format!("`{name}` has {value} at element 1")), "{initialized}");
        loaded
    };
    let problem = with("linear_1.weight", f32::NAN);
    let expected = "`linear_1.weight` has NaN at element 1; expected values that are finite in f32";
    assert!(problem.contains(expected), "{problem}");
    assert!(with("conv2d_1.bias", f32::INFINITY).contains("`conv2d_1.bias` has inf at element 1"));
    let problem = with("batch_norm_1.running_var", -0.5);
    let expected =
        "`batch_norm_1.running_var` has -0.5 at element 1; expected a value of at least 0, as for a variance";
    assert!(problem.contains(expected), "{problem}");
}

#[test]
fn pytorch_file_is_rejected_with_instructions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pt");
    std::fs::write(&path, b"PK\x03\x04\0\0\0\0\0\0archive/data.pklFB").unwrap();
    let initialized =
        Pictures::experiment().set("init_from", path.to_str().unwrap()).unwrap().without_folder();
    for problem in [said(Convolutions::load(&path)), said(initialized.run())] {
        assert!(
            problem.contains("this is a PyTorch file, not a safetensors file; convert it in Python: "),
            "{problem}"
        );
        assert!(problem.contains("save_file("), "{problem}");
    }
}
