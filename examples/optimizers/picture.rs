//! The plot: the path of each optimizer through the valley, and below it the validation losses on the digits.

use std::path::Path;

use contour::ContourBuilder;
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::Comparison;
use crate::surface::height;

/// Panels per row.
const ACROSS: usize = 4;
/// The side of a panel, in pixels.
const PANEL: u32 = 300;
/// The height of the chart below the panels.
const CHART: u32 = 560;
/// The visible part of the surface.
const X: std::ops::Range<f64> = -2.0..2.0;
const Y: std::ops::Range<f64> = -1.0..3.0;
/// Grid points for the contours, in each direction.
const GRID: usize = 101;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Writes the plot.
pub(crate) fn draw(path: &Path, comparisons: &[Comparison]) -> anyhow::Result<()> {
    let rows = comparisons.len().div_ceil(ACROSS);
    let (width, panels) = (PANEL * ACROSS as u32, PANEL * rows as u32);
    let all = SVGBackend::new(path, (width, panels + CHART)).into_drawing_area();
    all.fill(&WHITE)?;
    let (above, below) = all.split_vertically(panels);
    let contours = contours()?;
    for (area, comparison) in above.split_evenly((rows, ACROSS)).iter().zip(comparisons) {
        valley(area, &contours, comparison)?;
    }
    curves(&below, comparisons)?;
    all.present()?;
    Ok(())
}

/// Contour lines, half a decade apart.
fn contours() -> anyhow::Result<Vec<Vec<(f64, f64)>>> {
    let at = |range: &std::ops::Range<f64>, index: f64| {
        range.start + (range.end - range.start) * index / (GRID - 1) as f64
    };
    let grid = (0..GRID * GRID)
        .map(|point| height(at(&X, (point % GRID) as f64), at(&Y, (point / GRID) as f64)).max(1e-9).log10());
    let levels: Vec<f64> = (-2..=6).map(|level| f64::from(level) / 2.0).collect();
    let lines = ContourBuilder::new(GRID, GRID, true).lines(&grid.collect::<Vec<_>>(), &levels)?;
    let to_surface = |(x, y): (f64, f64)| (at(&X, x - 0.5), at(&Y, y - 0.5));
    Ok(lines
        .iter()
        .flat_map(contour::Line::geometry)
        .map(|line| line.coords().map(|point| to_surface((point.x, point.y))).collect())
        .collect())
}

/// The panel of an optimizer.
fn valley(area: &Area<'_>, contours: &[Vec<(f64, f64)>], comparison: &Comparison) -> anyhow::Result<()> {
    let Comparison { name, surface, .. } = comparison;
    let caption = format!("{name}: {:.1e} at lr {:.1e}", surface.height(), surface.rate);
    let mut chart =
        ChartBuilder::on(area).margin(8).caption(caption, ("sans-serif", 14)).build_cartesian_2d(X, Y)?;
    for line in contours {
        chart.draw_series(LineSeries::new(line.iter().copied(), RGBColor(205, 211, 220)))?;
    }
    // A step may leave the panel; the path is then clamped to its edge.
    let inside = |&(x, y): &(f64, f64)| (x.clamp(X.start, X.end), y.clamp(Y.start, Y.end));
    let points: Vec<_> = surface.points.iter().map(inside).collect();
    chart.draw_series(LineSeries::new(points.iter().copied(), RGBColor(0, 114, 178).stroke_width(2)))?;
    chart.draw_series(
        points.iter().step_by(10).map(|&point| Circle::new(point, 2, RGBColor(0, 114, 178).filled())),
    )?;
    chart.draw_series([Cross::new((1.0, 1.0), 5, RGBColor(213, 94, 0).stroke_width(2))])?;
    Ok(())
}

/// The validation losses on the digits, on a logarithmic axis, labeled at their ends.
fn curves(area: &Area<'_>, comparisons: &[Comparison]) -> anyhow::Result<()> {
    let losses = || comparisons.iter().flat_map(|comparison| &comparison.digits.losses).copied();
    let (low, high) =
        losses().fold((f64::INFINITY, 0.0_f64), |(low, high), loss| (low.min(loss), high.max(loss)));
    let epochs =
        comparisons.iter().map(|comparison| comparison.digits.losses.len()).max().unwrap_or(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .margin_right(140)
        .caption("Digits: validation loss by epoch, each at its best learning rate", ("sans-serif", 16))
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(1.0..epochs, (low * 0.9..high * 1.1).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("epoch")
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|loss| format!("{loss:.2}"))
        .draw()?;
    let ends = ends(comparisons, low, high);
    for (index, Comparison { name, digits, .. }) in comparisons.iter().enumerate() {
        let colour = HSLColor(index as f64 / comparisons.len() as f64, 0.75, 0.42);
        let points = (1..).map(f64::from).zip(digits.losses.iter().copied());
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        let label = ("sans-serif", 13).into_font().color(&colour);
        let place = chart.backend_coord(&(epochs, ends[index]));
        area.draw_text(
            name,
            &label,
            (place.0 + 8 - area.get_base_pixel().0, place.1 - 6 - area.get_base_pixel().1),
        )?;
    }
    Ok(())
}

/// The positions of the labels: at the ends of their lines, moved apart where they would overlap.
fn ends(comparisons: &[Comparison], low: f64, high: f64) -> Vec<f64> {
    let apart = (high / low).powf(1.0 / 34.0);
    let end = |index: usize| comparisons[index].digits.losses.last().copied().unwrap_or(low);
    let mut order: Vec<usize> = (0..comparisons.len()).collect();
    order.sort_by(|&a, &b| end(a).total_cmp(&end(b)));
    let mut places = vec![0.0; comparisons.len()];
    let mut free = 0.0_f64;
    for index in order {
        places[index] = end(index).max(free);
        free = places[index] * apart;
    }
    places
}
