//! Calls into libraries that panic on what is damaged or hostile: the panic becomes an error, and its words stand in that error
//! instead of on the terminal.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `call`. What it borrows must not be looked at after a panic.
///
/// # Errors
/// The words of a panic.
pub fn guard<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    let before = GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(before);
    outcome.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words").to_owned()
    })
}

/// From now on panics inside [`guard`] are not printed; all others are, as before. For the start of a program.
pub fn print_only_unguarded() {
    let print = take_hook();
    set_hook(Box::new(move |panic| {
        if !GUARDED.get() {
            print(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    #[test]
    fn a_panic_becomes_its_words() {
        assert_eq!(guard(|| 7), Ok(7));
        let number = 3;
        assert_eq!(guard(|| -> u8 { panic!("number {number}") }), Err("number 3".into()));
        assert_eq!(guard(|| -> u8 { panic!("plain") }), Err("plain".into()));
        assert!(!GUARDED.get());
    }
}
