use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Arena, Span, as_words, as_words_ref};

const LENGTH: usize = 4;

/// Every span of up to 3 elements that starts in an arena of [`LENGTH`] or up to 2 elements after it.
fn spans() -> impl Iterator<Item = Span> + Clone {
    (0..LENGTH + 2).flat_map(|start| (0..4).map(move |length| Span { start, length }))
}

/// The indices of a span, listed.
fn places(span: Span) -> Vec<usize> {
    (span.start..span.start + span.length).collect()
}

fn is_inside(span: Span) -> bool {
    span.start <= LENGTH && places(span).iter().all(|&place| place < LENGTH)
}

fn share(one: Span, other: Span) -> bool {
    places(one).iter().any(|place| places(other).contains(place))
}

/// An arena in which each element is its own index.
fn numbered() -> Arena {
    let mut arena = Arena::new(LENGTH).unwrap();
    for (place, number) in arena.write(Span { start: 0, length: LENGTH }).iter_mut().enumerate() {
        *number = place as f32;
    }
    arena
}

fn numbers(span: Span) -> Vec<f32> {
    places(span).into_iter().map(|place| place as f32).collect()
}

/// The message of a panic.
fn message(run: impl FnOnce()) -> Option<String> {
    let error = catch_unwind(AssertUnwindSafe(run)).err()?;
    Some(error.downcast_ref::<String>().unwrap().clone())
}

#[test]
fn spans_overlap_where_they_share_an_element() {
    for one in spans() {
        for other in spans() {
            assert_eq!(one.overlaps(other), share(one, other), "{one:?} {other:?}");
        }
    }
    let huge = Span { start: usize::MAX - 2, length: usize::MAX };
    assert!(huge.overlaps(Span { start: usize::MAX - 1, length: 2 }));
    assert!(!huge.overlaps(Span::EMPTY) && Span::EMPTY.is_empty());
}

#[test]
fn overlapping_or_outside_spans_are_rejected() {
    let mut arena = numbered();
    for read in spans() {
        for [one, other] in spans().flat_map(|one| spans().map(move |other| [one, other])) {
            let outside = [read, one, other].into_iter().any(|span| !is_inside(span));
            let refused = outside || share(read, one) || share(read, other) || share(one, other);
            if refused {
                let said = message(|| _ = arena.lend([read], [one, other])).unwrap();
                assert_eq!(said.contains("is not inside an arena of 4 elements"), outside, "{said}");
                assert_eq!(said.contains("is written and overlaps"), !outside, "{said}");
            } else {
                let ([reads], [ones, others]) = arena.lend([read], [one, other]);
                assert_eq!(reads, numbers(read));
                assert_eq!((&*ones, &*others), (&*numbers(one), &*numbers(other)));
            }
        }
    }
}

#[test]
fn read_spans_may_overlap() {
    let mut arena = numbered();
    for one in spans().filter(|&span| is_inside(span)) {
        for other in spans().filter(|&span| is_inside(span)) {
            assert_eq!(arena.lend([one, other], []).0, [&*numbers(one), &*numbers(other)]);
        }
    }
}

#[test]
fn single_span_is_read_or_written() {
    let mut arena = numbered();
    for span in spans() {
        if is_inside(span) {
            assert_eq!(arena.read(span), numbers(span));
            assert_eq!(arena.write(span), numbers(span));
        } else {
            let expected = format!("{span:?} is not inside an arena of 4 elements");
            assert_eq!(message(|| _ = arena.read(span)).as_ref(), Some(&expected));
            assert_eq!(message(|| _ = arena.write(span)).as_ref(), Some(&expected));
        }
    }
    for span in [Span { start: usize::MAX, length: 2 }, Span { start: 1, length: usize::MAX }] {
        assert!(message(|| _ = arena.lend([span], [])).is_some());
    }
}

#[test]
fn written_values_are_read_back() {
    let mut arena = Arena::new(100).unwrap();
    let (one, other) = (Span { start: 3, length: 40 }, Span { start: 43, length: 57 });
    let ([], [first, second]) = arena.lend([], [one, other]);
    first.fill(1.0);
    second.fill(2.0);
    assert_eq!(arena.read(Span { start: 0, length: 3 }), [0.0; 3]);
    assert_eq!(arena.read(one), [1.0; 40]);
    assert_eq!(arena.read(other), [2.0; 57]);
}

#[test]
fn arena_grows_and_does_not_shrink() {
    let mut arena = Arena::new(0).unwrap();
    assert!(arena.is_empty() && arena.read(Span::EMPTY).is_empty());
    for (length, expected) in [(1, 1), (1_000_000, 1_000_000), (10, 1_000_000)] {
        arena.grow(length).unwrap();
        assert_eq!(arena.len(), expected);
        let all = Span { start: 0, length: expected };
        assert_eq!(arena.write(all).len(), expected);
        arena.write(all)[expected - 1] = 1.0;
    }
    assert_eq!(arena.read(Span { start: 999_999, length: 1 }), [1.0]);
    assert!(arena.grow(usize::MAX).is_err() && arena.grow(usize::MAX / 8).is_err());
    assert_eq!(arena.len(), 1_000_000);
    assert!(arena.map.as_ptr().addr().is_multiple_of(4096));
}

#[test]
fn words_preserve_nan_bits() {
    let mut arena = Arena::new(3).unwrap();
    let all = Span { start: 0, length: 3 };
    // The second is a signaling NaN.
    let words = [7, 0x7f80_0001, u32::MAX];
    as_words(arena.write(all)).copy_from_slice(&words);
    assert_eq!(as_words_ref(arena.read(all)), words);
}
