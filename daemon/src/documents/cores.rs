//! The same work on many things at once, on all cores. Nobody waits here for anything but the work.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// Does `work` on each of `items`; what comes of it stands in their order.
pub(super) fn each<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    if items.len() == 1 {
        return items.into_iter().map(work).collect();
    }
    items.into_par_iter().map(work).collect()
}

/// How many are worked on at a time.
pub(super) fn count() -> usize {
    rayon::current_num_threads()
}
