//! Fractional positions: a place between two others, for ordered lists held under flat keys.

/// Digits of a position in ascending byte order.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A position strictly between `before` and `after` in byte order; `None` stands for the start and the end.
///
/// Two people who insert at one place apart get the same position; the item's id then breaks the tie, so both stay.
/// Positions never end in `0`. When `before` is not below `after`, the result is after `before`.
pub fn position_between(before: Option<&str>, after: Option<&str>) -> String {
    let low: Vec<usize> = before.unwrap_or_default().bytes().map(digit).collect();
    let mut high: Option<Vec<usize>> = after.map(|text| text.bytes().map(digit).collect());
    if high.as_ref().is_some_and(|high| *high <= low) {
        high = None;
    }
    let mut position = Vec::new();
    for index in 0.. {
        if high.as_ref().is_some_and(|high| index >= high.len()) {
            // Only a position that ends in `0` leads here: nothing lies between it and what it begins with.
            high = None;
        }
        let floor = low.get(index).copied().unwrap_or(0);
        let ceiling = high.as_ref().map_or(DIGITS.len(), |high| high.get(index).copied().unwrap_or(0));
        if floor + 1 < ceiling {
            position.push(usize::midpoint(floor, ceiling));
            break;
        }
        position.push(floor);
        if floor < ceiling {
            // From here on anything above `low` is below `high`.
            high = None;
        }
    }
    position.into_iter().filter_map(|digit| DIGITS.get(digit)).map(|&byte| char::from(byte)).collect()
}

fn digit(byte: u8) -> usize {
    DIGITS.iter().rposition(|&known| known <= byte).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_one_stands_in_the_middle() {
        assert_eq!(position_between(None, None), "i");
        assert!(position_between(Some("i"), None).as_str() > "i");
        assert!(position_between(None, Some("i")).as_str() < "i");
    }

    proptest! {
        #[test]
        fn there_is_always_room_between(places in prop::collection::vec(any::<prop::sample::Index>(), 1..200)) {
            let mut list: Vec<String> = Vec::new();
            for place in places {
                let index = place.index(list.len() + 1);
                let before = index.checked_sub(1).and_then(|before| list.get(before)).map(String::as_str);
                let new = position_between(before, list.get(index).map(String::as_str));
                prop_assert!(before.is_none_or(|before| before < new.as_str()));
                prop_assert!(list.get(index).is_none_or(|after| new.as_str() < after.as_str()));
                list.insert(index, new);
            }
        }

        #[test]
        fn strange_positions_do_no_harm(before in ".{0,9}", after in ".{0,9}") {
            prop_assert!(!position_between(Some(&before), Some(&after)).is_empty());
        }
    }
}
